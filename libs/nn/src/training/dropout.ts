import assert from 'node:assert/strict';
import type { SeededRandom } from './random.ts';

/**
 * Shares of values that training leaves out, each in [0, 1); what stays is divided by 1 - share, so evaluation needs no change and leaves out
 * nothing.
 */
export interface Dropout {
  /** Of the table's entries, each on its own; a model without an embedding has none. Source: M. Iyyer et al., "Deep Unordered Composition", ACL 2015. */
  readonly entries?: number;
  /** Of the inputs, another mask every row. */
  readonly inputs?: number;
  /**
   * Of each layer's output on its way to the next layer (the input layer's also to the head), another mask every row. Sources: N. Srivastava et al.,
   * "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014; W. Zaremba et al., "Recurrent Neural Network Regularization", 2014.
   */
  readonly betweenLayers?: number;
  /** The same on the way from the last layer to the head. */
  readonly beforeHead?: number;
  /**
   * Of h_{t-1} on its way to the recurrent product, the same mask for all rows of a sequence. Source: Y. Gal, Z. Ghahramani, "A Theoretically
   * Grounded Application of Dropout in Recurrent Neural Networks", NIPS 2016.
   */
  readonly recurrent?: number;
}

export function assertDropout(dropout: Dropout): void {
  for (const [field, share] of Object.entries(dropout) as [string, number][])
    assert(share >= 0 && share < 1, `dropout.${field} is ${share}, must be at least 0 and less than 1.`);
}

/** Draws a mask of `count` values at `at`: 0 for the share left out, else 1 / (1 - share). */
export function drawMask(
  values: Float64Array,
  at: number,
  count: number,
  draw: { readonly share: number; readonly random: SeededRandom },
): void {
  const kept = 1 / (1 - draw.share);
  for (let i = at; i < at + count; i += 1) values[i] = draw.random.next() < draw.share ? 0 : kept;
}
