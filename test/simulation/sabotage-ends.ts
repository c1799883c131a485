/** Injected bugs of sequences that are over: `Stream.close` tells each once, with the commit that forgets it. */
import { type Lines, PointLines } from '@tideline/pipeline';
import type { NamedSabotage, Sabotage } from './sabotage.ts';
import { replace } from './sabotage.ts';

const isEnd = (line: string): boolean => line.startsWith('chain_end,');

export const END_SABOTAGES: readonly NamedSabotage[] = [
  { name: 'an end that is not told', faults: [], create: () => dropEnds(5) },
  {
    name: 'an end that is told twice, the second time by a state that went on',
    faults: [],
    create: () => repeatEnds(5),
  },
  { name: 'ends that are told after the commit', faults: [], create: tellLate },
];

/** Loses every n-th end. */
function dropEnds(n: number): Sabotage {
  let ends = 0;
  return withLines((line) => {
    if (isEnd(line)) ends += 1;
    return isEnd(line) && ends % n === 0 ? [] : [line];
  });
}

/** Tells every n-th end again with a later count, as a close from a state that a replay has advanced once more. */
function repeatEnds(n: number): Sabotage {
  let ends = 0;
  return withLines((line) => {
    if (isEnd(line)) ends += 1;
    if (!isEnd(line) || ends % n !== 0) return [line];
    return [line, line.replace(/count=(\d+)/, (_, count: string) => `count=${Number(count) + 1}`)];
  });
}

/** The commit first, the ends behind it: a crash between the two would lose them, and the checker looks at every commit. */
function tellLate(): Sabotage {
  let write: ((lines: Lines) => Promise<void>) | null = null;
  let held: string[] = [];
  return {
    sink: (sink) => ({
      async write(lines) {
        write = (more) => sink.write(more);
        const all = [...lines];
        held.push(...all.filter(isEnd));
        const others = all.filter((line) => !isEnd(line));
        if (others.length > 0) await sink.write(PointLines.of(others));
      },
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    }),
    store: (store) =>
      replace(store, {
        async commit(commit) {
          await store.commit(commit);
          const ends = held;
          held = [];
          if (ends.length > 0) await write?.(PointLines.of(ends));
        },
      }),
  };
}

function withLines(change: (line: string) => readonly string[]): Sabotage {
  return {
    sink: (sink) => ({
      async write(lines) {
        const changed = [...lines].flatMap(change);
        if (changed.length > 0) await sink.write(PointLines.of(changed));
      },
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    }),
  };
}
