/** The rows of a batch: those of its chunks that the states do not hold yet, numbered through. */
import type { Chunk } from './chunk.ts';
import { decodeChunk } from './chunk-codec.ts';
import type { LogEntry } from './ports.ts';
import type { Stream } from './stream.ts';

/** A stretch of a chunk: its rows from `first` on are the batch's rows from `at` on. */
export interface Stretch {
  readonly chunk: Chunk;
  readonly first: number;
  readonly at: number;
}

export interface BatchRows {
  readonly stretches: readonly Stretch[];
  /** Rows of all stretches. */
  readonly count: number;
  /** Series that have a row. */
  readonly keys: ReadonlySet<string>;
}

/** The rows at and above `position`. Throws RangeError where an entry is no chunk of the stream. */
export function selectRows(entries: readonly LogEntry[], stream: Stream, position: number): BatchRows {
  const stretches: Stretch[] = [];
  const keys = new Set<string>();
  let count = 0;
  for (const { bytes } of entries) {
    const chunk = decodeChunk(bytes, stream.schema);
    const first = firstAt(chunk, position);
    if (first === 0) for (const key of chunk.keys) keys.add(key);
    else for (let row = first; row < chunk.rows; row += 1) keys.add(chunk.keys[chunk.keyOf[row]]);
    if (first === chunk.rows) continue;
    stretches.push({ chunk, first, at: count });
    count += chunk.rows - first;
  }
  return { stretches, count, keys };
}

/** The first row whose offset is `position` or above: offsets ascend. */
function firstAt({ offsets, rows }: Chunk, position: number): number {
  let row = 0;
  while (row < rows && offsets[row] < position) row += 1;
  return row;
}
