/**
 * What the network's outputs mean: for each horizon three numbers a, b, c in units of the series' mean distance from what is usual, on the scale of roots:
 *   q50 = usual + unit a, q10 = q50 - unit e^b, q90 = q50 + unit e^c.
 * Quantiles so made cannot cross, and a factor on a distance is a summand of b or c: a trained model's intervals are set right in the biases of its head.
 */
import { pinball } from '../quantile-loss.ts';
import { VOLUME_CONTEXT, VOLUME_HORIZONS } from './features.ts';
import { countOf } from './memory.ts';

export const VOLUME_LEVELS = [0.1, 0.5, 0.9] as const;
export const VOLUME_OUTPUT_SIZE = VOLUME_HORIZONS.length * VOLUME_LEVELS.length;
/** Distances stay within e^-6 and e^4 units. */
const LOG_MIN = -6;
const LOG_MAX = 4;

function distance(log: number): number {
  return Math.exp(log < LOG_MIN ? LOG_MIN : log > LOG_MAX ? LOG_MAX : log);
}

/** Counts q10, q50, q90 of horizon `h` of a row. */
export function volumeQuantiles(
  row: {
    readonly outputs: ArrayLike<number>;
    readonly outputAt: number;
    readonly context: ArrayLike<number>;
    readonly contextAt: number;
  },
  h: number,
): readonly [number, number, number] {
  const at = row.outputAt + VOLUME_LEVELS.length * h;
  const unit = row.context[row.contextAt + VOLUME_CONTEXT.unit];
  const usual = row.context[row.contextAt + VOLUME_CONTEXT.horizons + VOLUME_CONTEXT.each * h + 2];
  const middle = usual + unit * row.outputs[at];
  return [
    countOf(middle - unit * distance(row.outputs[at + 1])),
    countOf(middle),
    countOf(middle + unit * distance(row.outputs[at + 2])),
  ];
}

/**
 * Mean pinball loss of one row over horizons and levels, and its gradient with respect to the outputs. `targets`: of each horizon the root's distance from
 * what is usual, in units; NaN: not known (counts nothing).
 */
export function volumeLoss(
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  gradient: { [index: number]: number },
): number {
  const scale = 1 / (VOLUME_HORIZONS.length * VOLUME_LEVELS.length);
  const slope = (level: number, y: number, q: number): number => scale * (y >= q ? -level : 1 - level);
  let loss = 0;
  for (let h = 0; h < VOLUME_HORIZONS.length; h += 1) {
    const at = VOLUME_LEVELS.length * h;
    const y = targets[h];
    for (let i = 0; i < VOLUME_LEVELS.length; i += 1) gradient[at + i] = 0;
    if (Number.isNaN(y)) continue;
    const middle = outputs[at];
    const [down, up] = [distance(outputs[at + 1]), distance(outputs[at + 2])];
    const [low, high] = [slope(VOLUME_LEVELS[0], y, middle - down), slope(VOLUME_LEVELS[2], y, middle + up)];
    gradient[at] = slope(VOLUME_LEVELS[1], y, middle) + low + high;
    gradient[at + 1] = -low * down;
    gradient[at + 2] = high * up;
    loss +=
      scale *
      (pinball(VOLUME_LEVELS[0], y, middle - down) +
        pinball(VOLUME_LEVELS[1], y, middle) +
        pinball(VOLUME_LEVELS[2], y, middle + up));
  }
  return loss;
}
