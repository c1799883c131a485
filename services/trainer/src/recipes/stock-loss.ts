/**
 * What a network of movements learns: the direction of clear movements, and beside it, on every day, quantiles of the move. They only shape what it keeps of
 * the days: their outputs are dropped after training.
 */
import type { ModelWeights, RowLoss } from '@tideline/nn';
import { pinball } from '@tideline/streams';
import type { SeriesRows } from '../series-rows.ts';
import type { Movement } from './movements.ts';

/** Of the second task (R. Caruana, "Multitask Learning", Machine Learning 28, 1997). */
const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9] as const;
/** Its weight against the direction's. */
const WEIGHT = 0.5;
/** Outputs in training; the first one is what is kept. */
export const TRAINED_OUTPUTS = 1 + LEVELS.length;

/** Moves whose root of the mean square is a share's deviation of the day, and what is added to it, per cent: a share that stands still has one, too. */
const DEVIATION_MOVES = 41;
const DEVIATION_FLOOR = 0.2;
/** A move counts as so many deviations at most. */
const MOVE_MAX = 4;

/** By row: the next day's move in deviations of the days up to the row; NaN where there is none. `moves`: per cent, by row, each up to its own day. */
export function nextMoves(moves: Float64Array, firstRow: number): Float64Array {
  return Float64Array.from(moves, (_, row) => {
    if (row < firstRow || row + 1 >= moves.length) return Number.NaN;
    const last = moves.subarray(Math.max(1, row - DEVIATION_MOVES + 1), row + 1);
    const deviation = Math.sqrt(last.reduce((sum, move) => sum + move * move, 0) / last.length) + DEVIATION_FLOOR;
    return Math.max(-MOVE_MAX, Math.min(MOVE_MAX, moves[row + 1] / deviation));
  });
}

/** Logistic loss of the direction where the movement counts, and pinball loss of the move; a row without a move counts nothing. */
export function movementLoss(movementAt: (row: number) => Movement | null, moveAt: (row: number) => number): RowLoss {
  return (said, row, gradient) => {
    const move = moveAt(row);
    if (Number.isNaN(move)) return null;
    let loss = 0;
    const movement = movementAt(row);
    if (movement) {
      const p = 1 / (1 + Math.exp(-said[0]));
      gradient[0] = p - (movement.up ? 1 : 0);
      loss = -Math.log(movement.up ? p : 1 - p);
    }
    LEVELS.forEach((level, i) => {
      gradient[1 + i] = WEIGHT * (move < said[1 + i] ? 1 - level : -level);
      loss += WEIGHT * pinball(level, move, said[1 + i]);
    });
    return loss;
  };
}

/** The weights without the outputs that only training has. */
export function directionOnly(weights: ModelWeights): ModelWeights {
  const { headW, headB } = weights;
  return { ...weights, headW: headW.slice(0, headW.length / TRAINED_OUTPUTS), headB: headB.slice(0, 1) };
}

/** Values of a feature that stands at `place` of each row's context. */
export function contextColumn({ context, rows }: SeriesRows, place: number): Float64Array {
  const size = context.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => context[row * size + place]);
}
