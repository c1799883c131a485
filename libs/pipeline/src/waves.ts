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

/**
 * Plans the rows `rows[i]`, which step slot `slots[i]`, in the order given. Within a slot the order is kept across waves and its run.
 * Slots are visited in the order of their first row, so the plan is a pure function of its arguments.
 */
export function planWaves(slots: ArrayLike<number>, rows: ArrayLike<number>): WavePlan {
  const bySlot = new Map<number, number[]>();
  for (let i = 0; i < slots.length; i += 1) {
    const queue = bySlot.get(slots[i]);
    if (queue) queue.push(rows[i]);
    else bySlot.set(slots[i], [rows[i]]);
  }
  const waves: Wave[] = [];
  let live = [...bySlot.entries()];
  let depth = 0;
  while (live.length >= WAVE_WIDTH_MIN) {
    const k = depth;
    waves.push({
      slots: Uint32Array.from(live, ([slot]) => slot),
      rows: Uint32Array.from(live, ([, queue]) => queue[k]),
    });
    depth += 1;
    live = live.filter(([, queue]) => queue.length > depth);
  }
  return { waves, runs: live.map(([slot, queue]) => ({ slot, rows: Uint32Array.from(queue.slice(depth)) })) };
}
