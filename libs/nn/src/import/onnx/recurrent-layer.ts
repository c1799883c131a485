import type { CellKind, GruReset, LayerWeights } from '../../model.ts';
import type { Part, Row } from './row.ts';

/** A state that the graph takes as an input: row `index` of the input `name`. undefined: it starts at zero inside of the graph. */
export interface StateInput {
  readonly name: string;
  readonly index: number;
}

/** One recurrent layer found in a graph, from a node of its own kind or recognised in elementary operations. */
export interface RecurrentLayer {
  /** For messages: the node. */
  readonly where: string;
  readonly cell: CellKind;
  readonly gruReset?: GruReset;
  readonly hiddenSize: number;
  /** What it reads. */
  readonly input: Row;
  /** wIh has the columns of `input`. */
  readonly weights: LayerWeights;
  /** Its new states, where they are no node's outputs but recognised. */
  readonly next?: { readonly h: Part; readonly c: Part | undefined };
  readonly states: { readonly h: StateInput | undefined; readonly c: StateInput | undefined };
}
