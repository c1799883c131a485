import assert from 'node:assert/strict';
import { ORIGINAL_COLUMNS, originalTexts } from './originals.ts';
import type { EventTime, RawRecord } from './record.ts';

/** Names of a stream's columns, in order: numbers as float64, texts as strings. The stream declares it once. */
export interface ChunkSchema {
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}

/**
 * Validated records of one shard, column by column; row order is offset order.
 *
 * Shapes: n rows, `keys.length` distinct series; `offsets`, `timeMs`, `timeSubNs`, `timeUnit`, `keyOf`: [n];
 * `numbers`: one [n] array a column (NaN = absent); `texts`: one [n] array a column ('' = absent).
 */
export interface Chunk {
  /** The next offset to append after this chunk. */
  readonly next: number;
  readonly rows: number;
  readonly keys: readonly string[];
  readonly keyOf: Uint32Array;
  readonly offsets: Float64Array;
  readonly timeMs: Float64Array;
  /** 0..999,999. */
  readonly timeSubNs: Uint32Array;
  /** 0 = ms, 1 = us, 2 = ns. */
  readonly timeUnit: Uint8Array;
  readonly numbers: readonly Float64Array[];
  readonly texts: readonly (readonly string[])[];
  /** The records as they came, by `readOriginal`: [ORIGINAL_COLUMNS][n]; empty where they were not kept. */
  readonly originals: readonly (readonly string[])[];
}

const UNIT_CODE = { ms: 0, us: 1, ns: 2 } as const;

/** Gathers rows into a chunk. A decoder writes `number()` and `text()` first and calls `push` last, so a throw leaves no half row. */
export class ChunkBuilder {
  readonly schema: ChunkSchema;
  #rows = 0;
  #capacity: number;
  readonly #keyIds = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #keyOf: Uint32Array;
  readonly #offsets: Float64Array;
  readonly #timeMs: Float64Array;
  readonly #timeSubNs: Uint32Array;
  readonly #timeUnit: Uint8Array;
  readonly #numbers: Float64Array[];
  readonly #texts: string[][];
  readonly #originals: string[][];

  /** `originals`: the records themselves are kept too, each given to `original` before it is decoded. */
  constructor(schema: ChunkSchema, capacity: number, options: { readonly originals: boolean } = { originals: false }) {
    this.schema = schema;
    this.#capacity = capacity;
    this.#keyOf = new Uint32Array(capacity);
    this.#offsets = new Float64Array(capacity);
    this.#timeMs = new Float64Array(capacity);
    this.#timeSubNs = new Uint32Array(capacity);
    this.#timeUnit = new Uint8Array(capacity);
    this.#numbers = schema.numbers.map(() => new Float64Array(capacity));
    this.#texts = schema.texts.map(() => new Array<string>(capacity).fill(''));
    this.#originals = Array.from({ length: options.originals ? ORIGINAL_COLUMNS : 0 }, () =>
      new Array<string>(capacity).fill(''),
    );
  }

  get rows(): number {
    return this.#rows;
  }

  /** Whether records are kept beside their rows. */
  get keepsOriginals(): boolean {
    return this.#originals.length > 0;
  }

  /** Sets a number of the row under construction; NaN means absent. */
  number(column: number, value: number): void {
    this.#numbers[column][this.#rows] = value;
  }

  /** Sets a text of the row under construction; '' means absent. */
  text(column: number, value: string): void {
    this.#texts[column][this.#rows] = value;
  }

  /** The record that the row under construction is read from. Nothing happens where originals are not kept. */
  original(record: RawRecord): void {
    if (!this.keepsOriginals) return;
    originalTexts(record).forEach((text, column) => {
      this.#originals[column][this.#rows] = text;
    });
  }

  /** Completes the row. */
  push(key: string, offset: number, time: EventTime): void {
    const row = this.#rows;
    assert(row < this.#capacity, 'A chunk builder was filled beyond its capacity.');
    let id = this.#keyIds.get(key);
    if (id === undefined) {
      id = this.#keys.length;
      this.#keys.push(key);
      this.#keyIds.set(key, id);
    }
    this.#keyOf[row] = id;
    this.#offsets[row] = offset;
    this.#timeMs[row] = time.ms;
    this.#timeSubNs[row] = time.subNs;
    this.#timeUnit[row] = UNIT_CODE[time.unit];
    this.#rows = row + 1;
  }

  /** The finished chunk. The builder is not used again. */
  finish(next: number): Chunk {
    const n = this.#rows;
    return {
      next,
      rows: n,
      keys: this.#keys,
      keyOf: this.#keyOf.subarray(0, n),
      offsets: this.#offsets.subarray(0, n),
      timeMs: this.#timeMs.subarray(0, n),
      timeSubNs: this.#timeSubNs.subarray(0, n),
      timeUnit: this.#timeUnit.subarray(0, n),
      numbers: this.#numbers.map((column) => column.subarray(0, n)),
      texts: this.#texts.map((column) => column.slice(0, n)),
      originals: this.#originals.map((column) => column.slice(0, n)),
    };
  }
}
