import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { splitLine } from '@tideline/pipeline';

/** A point of a line-protocol file: `measurement,tags time`, and its fields. */
export interface StoredPoint {
  readonly identity: string;
  readonly fields: string;
}

export interface SortedPointsOptions {
  readonly path: string;
  /** For the sorted parts of a file that is larger than one part; emptied before and after. */
  readonly folder: string;
  /** Characters of a part: what is in memory at once. */
  readonly partCharactersMax?: number;
}

const PART_CHARACTERS_MAX = 32 * 1024 * 1024;
const BATCH_POINTS = 1_000;
const BLOCK_BYTES = 64 * 1024;

/**
 * The points of a file by identity, each once, with its last write; some at a time. The memory is that of one part, however large the file is: parts are
 * sorted on their own, written to `folder` and merged.
 */
export async function* sortedPoints(options: SortedPointsOptions): AsyncGenerator<readonly StoredPoint[]> {
  const { folder } = options;
  await rm(folder, { recursive: true, force: true });
  try {
    const parts = await sortedParts(options);
    let batch: StoredPoint[] = [];
    for (const point of mergedParts(parts)) {
      batch.push(point);
      if (batch.length < BATCH_POINTS) continue;
      yield batch;
      batch = [];
      // A long merge leaves room for whoever else works in this process.
      await turn();
    }
    if (batch.length > 0) yield batch;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The parts in the file's order: of a small file one, in memory. */
async function sortedParts(options: SortedPointsOptions): Promise<Iterable<StoredPoint>[]> {
  const { path, folder, partCharactersMax = PART_CHARACTERS_MAX } = options;
  const parts: Iterable<StoredPoint>[] = [];
  let points = new Map<string, string>();
  let characters = 0;
  let rest = '';
  for await (const text of createReadStream(path, { encoding: 'utf8', highWaterMark: BLOCK_BYTES })) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { head, fields, time } = splitLine(line);
      points.set(`${head} ${time}`, fields);
      characters += line.length;
    }
    if (characters < partCharactersMax) continue;
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${parts.length}.lp`);
    await writeFile(file, blocksOf(sorted(points)));
    parts.push(readPart(file));
    points = new Map();
    characters = 0;
  }
  return [...parts, sorted(points)];
}

function sorted(points: ReadonlyMap<string, string>): StoredPoint[] {
  return [...points.keys()].sort().map((identity) => ({ identity, fields: points.get(identity) ?? '' }));
}

/** Lines, many to a write. */
function* blocksOf(points: readonly StoredPoint[]): Generator<string> {
  for (let from = 0; from < points.length; from += BATCH_POINTS)
    yield points
      .slice(from, from + BATCH_POINTS)
      .map(lineOf)
      .join('');
}

function lineOf({ identity, fields }: StoredPoint): string {
  const at = identity.lastIndexOf(' ');
  return `${identity.slice(0, at)} ${fields}${identity.slice(at)}\n`;
}

function* readPart(path: string): Generator<StoredPoint> {
  const file = openSync(path, 'r');
  try {
    const decoder = new TextDecoder();
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let rest = '';
    for (let bytes = readSync(file, block); bytes > 0; bytes = readSync(file, block)) {
      const lines = (rest + decoder.decode(block.subarray(0, bytes), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { head, fields, time } = splitLine(line);
        yield { identity: `${head} ${time}`, fields };
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Halves, merged each: as many comparisons a point as the number of parts has binary digits. */
function mergedParts(parts: readonly Iterable<StoredPoint>[]): Iterable<StoredPoint> {
  if (parts.length === 1) return parts[0];
  const middle = parts.length >> 1;
  return merged(mergedParts(parts.slice(0, middle)), mergedParts(parts.slice(middle)));
}

/** Of two points of one identity the newer one counts. */
function* merged(older: Iterable<StoredPoint>, newer: Iterable<StoredPoint>): Generator<StoredPoint> {
  const [left, right] = [older[Symbol.iterator](), newer[Symbol.iterator]()];
  let [a, b] = [left.next(), right.next()];
  while (!(a.done && b.done)) {
    const isLeft = b.done || (!a.done && a.value.identity < b.value.identity);
    if (isLeft) {
      yield (a as IteratorYieldResult<StoredPoint>).value;
      a = left.next();
      continue;
    }
    const { value } = b as IteratorYieldResult<StoredPoint>;
    yield value;
    if (!a.done && a.value.identity === value.identity) a = left.next();
    b = right.next();
  }
}
