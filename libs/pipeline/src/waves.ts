/**
 * Orders the rows of a batch into waves: wave k holds the k-th row of each series, so that one engine call advances many series at once
 * and each series still advances in order. What is left when few series remain goes through the sequence kernel, one run a series.
 */

export interface Wave {
  readonly slots: Uint32Array;
  readonly rows: Uint32Array;
}

export interface Run {
  readonly slot: number;
  readonly rows: Uint32Array;
}

export interface WavePlan {
  readonly waves: readonly Wave[];
  /** Tails of hot series, to be run after the waves. */
  readonly runs: readonly Run[];
}

/** Below this width a wave costs more than it saves: one `run` of a series reads the weights once for many rows. */
export const WAVE_WIDTH_MIN = 4;
/** Slots a row for which a table of all slots pays. */
const TABLE_PER_ROW_MAX = 16;

/**
 * Plans the rows `rows[i]`, which step slot `slots[i]`, in the order given. Within a slot the order is kept across waves and its run, within a wave
 * that of the arguments: the plan is a pure function of them. A counting sort by each row's place within its slot; the waves are parts of its result.
 */
export function planWaves(slots: Uint32Array, rows: Uint32Array): WavePlan {
  const { depths, widths } = measure(slots);
  let depth = 0;
  while (depth < widths.length && widths[depth] >= WAVE_WIDTH_MIN) depth += 1;
  const ends = new Uint32Array(depth);
  const starts = new Uint32Array(depth);
  for (let k = 0, at = 0; k < depth; k += 1) {
    starts[k] = ends[k] = at;
    at += widths[k];
  }
  const sortedSlots = new Uint32Array(slots.length);
  const sortedRows = new Uint32Array(slots.length);
  const tails = new Map<number, number[]>();
  for (let i = 0; i < slots.length; i += 1) {
    const k = depths[i];
    if (k < depth) {
      const to = ends[k];
      sortedSlots[to] = slots[i];
      sortedRows[to] = rows[i];
      ends[k] = to + 1;
      continue;
    }
    const tail = tails.get(slots[i]);
    if (tail) tail.push(rows[i]);
    else tails.set(slots[i], [rows[i]]);
  }
  const waves = Array.from(ends, (end, k) => ({
    slots: sortedSlots.subarray(starts[k], end),
    rows: sortedRows.subarray(starts[k], end),
  }));
  return { waves, runs: Array.from(tails, ([slot, tail]) => ({ slot, rows: Uint32Array.from(tail) })) };
}

/** `depths[i]`: how many rows of its slot row i has before it. `widths[k]`: slots that have a row of depth k. */
function measure(slots: Uint32Array): { readonly depths: Uint32Array; readonly widths: readonly number[] } {
  const ordinals = ordinalsOf(slots);
  const counts = new Uint32Array(slots.length);
  const depths = new Uint32Array(slots.length);
  const widths: number[] = [];
  for (let i = 0; i < slots.length; i += 1) {
    const k = counts[ordinals[i]];
    counts[ordinals[i]] = k + 1;
    depths[i] = k;
    if (k === widths.length) widths.push(0);
    widths[k] += 1;
  }
  return { depths, widths };
}

/** Slots numbered in the order of their first rows. A table of all slots is fast, but too large for a few rows. */
function ordinalsOf(slots: Uint32Array): Uint32Array {
  const ordinals = new Uint32Array(slots.length);
  let top = 0;
  for (let i = 0; i < slots.length; i += 1) if (slots[i] > top) top = slots[i];
  let next = 1;
  if (top < TABLE_PER_ROW_MAX * slots.length) {
    const table = new Uint32Array(top + 1);
    for (let i = 0; i < slots.length; i += 1) {
      if (table[slots[i]] === 0) {
        table[slots[i]] = next;
        next += 1;
      }
      ordinals[i] = table[slots[i]] - 1;
    }
    return ordinals;
  }
  const known = new Map<number, number>();
  for (let i = 0; i < slots.length; i += 1) {
    const ordinal = known.get(slots[i]) ?? known.size;
    known.set(slots[i], ordinal);
    ordinals[i] = ordinal;
  }
  return ordinals;
}
