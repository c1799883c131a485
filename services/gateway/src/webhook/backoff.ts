const BASE_MS = 1_000;
const DELAY_MS_MAX = 60_000;

/**
 * Wait before the next attempt after `attempts` that failed (from 1): doubles each time up to a minute, the upper half of it by chance (`random`, 0..1), so
 * that deliveries that failed together do not come back together. What the receiver asks for (`retryAfterMs`) is a lower bound, up to the same minute.
 */
export function backoffMs(attempts: number, random: number, retryAfterMs = 0): number {
  const whole = Math.min(DELAY_MS_MAX, BASE_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.max(Math.round(whole / 2 + (random * whole) / 2), Math.min(retryAfterMs, DELAY_MS_MAX));
}
