/** The ticks of the latency job: each is named by its symbol and the millisecond at which it is due. */

const SYMBOLS = 1_000;

export interface TickPlan {
  /** Ticks a second. */
  readonly rate: number;
  /** When the first one is due, ms since the epoch. */
  readonly startMs: number;
}

/** When tick `i` is due, ms since the epoch with a fraction. */
export function dueMs({ rate, startMs }: TickPlan, i: number): number {
  return startMs + (i * 1e3) / rate;
}

/** No symbol has two in one millisecond. */
export function tickName(plan: TickPlan, i: number): string {
  return `${symbolOf(i)} ${Math.floor(dueMs(plan, i))}`;
}

export function tickAt(plan: TickPlan, i: number) {
  const key = symbolOf(i);
  const timestampMs = Math.floor(dueMs(plan, i));
  const cents = 5_000 + ((i * 7_919) % 45_000);
  const rest = `"size":${1 + ((i * 31) % 999)},"side":"B","venue":"XLON","seq":${1_000_000 + i}`;
  return {
    key,
    value: `{"symbol":"${key}","ts":${timestampMs},"price":${(cents / 100).toFixed(2)},${rest}}`,
    timestampMs,
  };
}

function symbolOf(i: number): string {
  return `S${String(i % SYMBOLS).padStart(4, '0')}`;
}
