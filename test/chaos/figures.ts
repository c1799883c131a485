/** A chaos run's figures: a line for each fault, and one JSON object of all. */
import type { EmbeddedResult } from './embedded.ts';
import { TIMES } from './faults.ts';
import { MEMORY_BOUNDS } from './memory.ts';
import type { RunResult } from './run-fault.ts';

export interface ChaosResults {
  readonly seed: number;
  readonly stack: readonly RunResult[];
  readonly embedded: readonly EmbeddedResult[];
  /** Faults whose run did not come to its end. */
  readonly failed: readonly string[];
}

interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly max: number;
}

/** Every run came to its end with the digest of a run without faults, within the bounds of memory. */
export function passed({ stack, embedded, failed }: ChaosResults): boolean {
  return (
    failed.length === 0 && [...stack, ...embedded].every(({ digestEqual }) => digestEqual) && stack.every(inBounds)
  );
}

/** One line for people. */
export function lineOf(result: RunResult): string {
  const { fault, records, missing, duplicated, wrong, digestEqual, memory, seconds } = result;
  const outcome = digestEqual ? 'digest equal' : `MISSING ${missing} DUPLICATED ${duplicated} WRONG ${wrong}`;
  const times = TIMES.flatMap((name) => {
    const found = result.times[name] ?? [];
    return found.length === 0 ? [] : [`${name} ${found.map(Math.round).join(' ')}`];
  });
  const used = `memory at most ${memory.serviceMb} MB a service, ${memory.redisMb} MB of Redis, ${memory.logKib} KiB a log`;
  const over = inBounds(result) ? [] : ['OVER ITS BOUND'];
  return [`${fault.name}: ${records} records, ${outcome}`, ...times, used, ...over, `${seconds.toFixed(1)} s`].join(
    ', ',
  );
}

export function summary(results: ChaosResults): Record<string, unknown> {
  const { seed, stack, embedded, failed } = results;
  const sum = (field: 'records' | 'missing' | 'duplicated' | 'wrong'): number =>
    stack.reduce((total, result) => total + result[field], 0);
  const faults: Record<string, number> = {};
  for (const { fault } of stack) faults[fault.kind] = (faults[fault.kind] ?? 0) + (fault.count ?? 1);
  const times = TIMES.map((name) => [name, spread(stack.flatMap((result) => result.times[name] ?? []))]);
  const most = (field: 'serviceMb' | 'redisMb' | 'logKib'): number =>
    Math.max(0, ...stack.map(({ memory }) => memory[field]));
  return {
    ...{ seed, passed: passed(results), runs: stack.length, failed, faults, records: sum('records') },
    ...{ missing: sum('missing'), duplicated: sum('duplicated'), wrong: sum('wrong') },
    digestEqual: [...stack, ...embedded].every(({ digestEqual }) => digestEqual),
    ...Object.fromEntries(times),
    memory: { serviceMb: most('serviceMb'), redisMb: most('redisMb'), logKib: most('logKib'), bounds: MEMORY_BOUNDS },
    embedded,
    each: stack.map(({ fault, records, times: measured, memory, seconds }) => ({
      ...{ fault: fault.name, records, memory, seconds: Math.round(seconds) },
      ...Object.fromEntries(Object.entries(measured).map(([name, found]) => [name, found.map(Math.round)])),
    })),
  };
}

function inBounds({ memory, fault }: RunResult): boolean {
  const logBytesMax = Number(fault.env?.TIDELINE_LOG_BYTES_MAX ?? Number.POSITIVE_INFINITY);
  return (
    memory.serviceMb <= MEMORY_BOUNDS.serviceMb &&
    memory.redisMb <= MEMORY_BOUNDS.redisMb &&
    memory.logKib <= logBytesMax / 1_024
  );
}

/** Median and worst; null where nothing was measured. */
function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => Math.round(sorted[index]);
  return { count: sorted.length, p50: at(Math.floor((sorted.length - 1) / 2)), max: at(sorted.length - 1) };
}
