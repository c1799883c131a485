/**
 * A recurrent layer's step in training: the cells' equations of `../cells` forward, keeping what the backward pass needs, and their derivatives
 * by the chain rule (P. Werbos, "Backpropagation Through Time: What It Does and How to Do It", 1990). float64; checked against finite
 * differences in the tests. Everything lies in one memory; a place is an index into it.
 */
import type { ModelSpec } from '../model.ts';
import { GRU_AFTER, GRU_BEFORE } from './gru-gradient.ts';
import { LSTM } from './lstm-gradient.ts';
import type { Norm } from './norm.ts';
import { NORM_LSTM } from './norm-lstm-gradient.ts';
import { NORM_RNN } from './norm-rnn-gradient.ts';
import { PEEPHOLE_LSTM, type PeepholePlaces } from './peephole-lstm-gradient.ts';
import type { TrainingMemory } from './products.ts';
import { RNN } from './rnn-gradient.ts';

/** Places of a layer. B sequences side by side, T rows of a window, H units, GH = gates * H. Row (b, t) of [B][T] is b * T + t. */
export interface CellTape {
  readonly hiddenSize: number;
  /** GH */
  readonly width: number;
  /** T */
  readonly windowRows: number;
  /** [B][T][GH]. W x + b_ih; after `forward` the activated gates; after `backward` the gradient of W x + b_ih. */
  readonly gates: number;
  /** [B][T][GH]. U h + b_hh; after `backward` its gradient. */
  readonly recurrent: number;
  /** [B][T + 1][H]: h before the window, then after each row. */
  readonly hidden: number;
  /** [B][T + 1][H]: c of an LSTM. */
  readonly cell: number;
  /** [B][T][H]: tanh(c) of an LSTM, r * h of a GRU whose reset stands before. */
  readonly inner: number;
  /** What U multiplies: `hidden`, or [B][T][H] of it through a dropout mask. */
  readonly source: number;
  /** From sequence to sequence of `source`. */
  readonly sourceStep: number;
  /** [B][H]: gradients of h and c: on entry of `backward` those of h_t and c_t, on exit those of t - 1. */
  readonly dHidden: number;
  readonly dCell: number;
  /** [B][H]: gradient of `source`: `dHidden` itself where nothing is masked. */
  readonly dSource: number;
  /** U, [GH][H]. */
  readonly wHh: number;
  /** U transposed, [H][GH]. */
  readonly wHhT: number;
  /** b_hh, and what `recurrent` starts from: b_hh, or zeros where a norm adds it; [GH] each. */
  readonly bHh: number;
  readonly start: number;
  /** Gradient of b_hh, [GH]. */
  readonly dBHh: number;
  /** Layer norm of W x, of U h (LSTM, GRU), of c (LSTM) and of W x + U h (RNN). */
  readonly normIh: Norm | null;
  readonly normHh: Norm | null;
  readonly normC: Norm | null;
  readonly normSum: Norm | null;
  readonly peephole: PeepholePlaces | null;
}

/** One step of the first `active` sequences. */
export interface CellStep {
  readonly memory: TrainingMemory;
  readonly tape: CellTape;
  /** Row of the window. */
  readonly t: number;
  readonly active: number;
}

/** Which rows of U's gradient come from which values: U's rows [from, from + count) multiplied `of`. */
export interface RecurrentPart {
  readonly from: number;
  readonly count: number;
  readonly of: 'source' | 'inner';
}

export interface CellGradient {
  /** From `gates` (W x + b_ih) and the states before to those after. */
  forward(step: CellStep): void;
  /** Gradients of the gates, of h and c before. */
  backward(step: CellStep): void;
  recurrentParts(hiddenSize: number): readonly RecurrentPart[];
}

export function cellGradient(spec: ModelSpec): CellGradient {
  if (spec.cell === 'gru') return spec.gruReset === 'before' ? GRU_BEFORE : GRU_AFTER;
  if (spec.cell === 'rnn') return spec.layerNorm ? NORM_RNN : RNN;
  if (spec.peephole) return PEEPHOLE_LSTM;
  return spec.layerNorm ? NORM_LSTM : LSTM;
}
