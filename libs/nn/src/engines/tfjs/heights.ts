import { GATES, type ModelSpec } from '../../model.ts';

/** Rows of a tile: how high the matrices are that one run of the ops takes. */

/** Different rows in the trials, and trials at most: each puts the rows at other places. */
const POOL_ROWS = 48;
const TRIALS_MIN = 3;
const TRIALS_MAX = 9;
/** Values of a row to be compared at least, where the trials' bound allows: another rounding shows in a part of them only. */
const VALUES_COMPARED = 512;
/** Multiplications that one run may take, unless it has LOW_ROWS or fewer: a trial of a large model must not take seconds. */
const PRODUCTS_MAX = 2e8;
const LOW_ROWS = 16;

/** The heights that are worth a trial with a model of this size. */
export function affordable(heights: readonly number[], spec: ModelSpec): readonly number[] {
  const { inputSize, hiddenSize, layers } = spec;
  const products = GATES[spec.cell] * hiddenSize * (inputSize + hiddenSize + (layers - 1) * 2 * hiddenSize);
  return heights.filter((height) => height <= LOW_ROWS || height * products <= PRODUCTS_MAX);
}

/**
 * Heights at which a row gets the same bits, wherever it stands and whichever of them its tile has; ascending, never empty.
 *
 * Matrix libraries take the rows left over by their blocks through another kernel, which rounds differently: on one AVX2 processor the last 2
 * of 32 rows, 5 blocks of 6 and 2 left, came out one unit in the last place off; all rows of 16, 48, 96 and 192 agreed. Which heights are free
 * of that depends on processor, library and shapes, not on values, so it is tried: the same rows at other places and heights must give the
 * same results. Of several families the largest is taken. One row a tile is free of it by construction.
 */
export function invariantHeights(options: {
  readonly tried: readonly number[];
  /** Values of a row that `advance` takes and gives. */
  readonly rowSize: number;
  readonly resultSize: number;
  /** [height][rowSize] to [height][resultSize]. */
  readonly advance: (tile: Float32Array, height: number) => Float32Array;
}): readonly number[] {
  const pool = Array.from({ length: POOL_ROWS }, (_, row) => poolRow(row, options.rowSize));
  const families: { readonly heights: number[]; readonly bits: readonly string[] }[] = [];
  for (const height of [...options.tried].sort((a, b) => a - b)) {
    const bits = bitsAt(height, pool, options);
    if (bits === null) continue;
    const family = families.find((one) => one.bits.every((known, row) => known === bits[row]));
    if (family) family.heights.push(height);
    else families.push({ heights: [height], bits });
  }
  return families.reduce((most, { heights }) => (heights.length > most.length ? heights : most), [1]);
}

/** The bits of each row of the pool's result; null where they depend on the place. */
function bitsAt(
  height: number,
  pool: readonly Float32Array[],
  options: Parameters<typeof invariantHeights>[0],
): readonly string[] | null {
  const { rowSize, resultSize, advance } = options;
  const trials = Math.max(TRIALS_MIN, Math.min(TRIALS_MAX, Math.ceil(VALUES_COMPARED / resultSize)));
  const known = Array.from({ length: POOL_ROWS }, () => '');
  // Every row has a turn in the first trials; the shift by one brings it to another place in the next.
  const turns = Math.ceil(POOL_ROWS / height);
  for (let trial = 0; trial < trials * turns; trial += 1) {
    const first = trial * height + Math.floor(trial / turns);
    const tile = new Float32Array(height * rowSize);
    for (let i = 0; i < height; i += 1) tile.set(pool[(first + i) % POOL_ROWS], i * rowSize);
    const results = advance(tile, height);
    for (let i = 0; i < height; i += 1) {
      const row = (first + i) % POOL_ROWS;
      const bits = bitsOf(results.subarray(i * resultSize, (i + 1) * resultSize));
      if (known[row] !== '' && known[row] !== bits) return null;
      known[row] = bits;
    }
  }
  return known;
}

/** Values in [-1, 1]. */
function poolRow(row: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin((row + 1) * 12.9898 + i * 78.233));
}

export interface Tile {
  /** Its first row in the batch, and how many are of the batch; the others up to `height` are empty. */
  readonly from: number;
  readonly rows: number;
  readonly height: number;
}

/**
 * Cuts a batch of `count` rows into tiles of the given heights (ascending), so that empty rows and runs cost little together: a run costs as
 * much as `overheadRows` rows, whatever its height.
 */
export function tilesOf(count: number, heights: readonly number[], overheadRows: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let from = 0; from < count; from += tiles[tiles.length - 1].rows) {
    const left = count - from;
    const height = bestHeight(left, heights, overheadRows).height;
    tiles.push({ from, rows: Math.min(left, height), height });
  }
  return tiles;
}

/** The first tile for `left` rows, and what all tiles cost together, in rows. */
function bestHeight(
  left: number,
  heights: readonly number[],
  overheadRows: number,
): { readonly height: number; readonly cost: number } {
  const largest = heights[heights.length - 1];
  if (left >= largest) return { height: largest, cost: Number.POSITIVE_INFINITY };
  const above = heights.findIndex((height) => height >= left);
  const padded = { height: heights[above], cost: heights[above] + overheadRows };
  if (heights[above] === left || above === 0) return padded;
  const height = heights[above - 1];
  const cost = height + overheadRows + bestHeight(left - height, heights, overheadRows).cost;
  return cost < padded.cost ? { height, cost } : padded;
}

function bitsOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}
