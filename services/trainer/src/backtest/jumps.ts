/** A log return beyond this, and beyond so many times the series' mean one, is more often a split that nobody adjusted than a movement. */
export const JUMP = 0.4;
const JUMP_MEANS = 10;

/** How many moves between neighbours of a series of logarithms look like splits. What is not finite counts nothing. */
export function jumpsIn(log: Float64Array): number {
  const moves = Array.from(log.subarray(1), (value, i) => Math.abs(value - log[i])).filter(Number.isFinite);
  const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
  return moves.filter((move) => move > JUMP && move > JUMP_MEANS * mean).length;
}

/** The warning for so many jumps of the value `of`, with its cure; none where there are none. */
export function jumpNotes(jumps: number, of: string, cure: string): string[] {
  if (jumps === 0) return [];
  return [`WARNING: ${jumps} log returns of '${of}' are beyond ${JUMP}: splits that nobody adjusted? ${cure}`];
}
