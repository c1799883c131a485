import { GATES, type LayerWeights, type ModelSpec } from '../model.ts';
import type { CellTape } from './cell-gradient.ts';
import type { Norm, NormGroup } from './norm.ts';

/** Places of a layer's tensors, or of their gradients. */
export type LayerPlaces = Readonly<Record<'wIh' | 'wHh' | 'bIh' | 'bHh', number>> &
  Readonly<Partial<Record<keyof LayerWeights, number>>>;

export interface TapeOptions {
  readonly spec: ModelSpec;
  readonly weights: LayerPlaces;
  readonly gradients: LayerPlaces;
  readonly batchSequences: number;
  readonly windowRows: number;
  /** Place of `count` values that are zero at first. */
  readonly reserve: (count: number) => number;
}

/** Places of a layer, all of them zero but for the weights. */
export function createTape(options: TapeOptions): CellTape {
  const { spec, weights, gradients, batchSequences, windowRows, reserve } = options;
  const { hiddenSize } = spec;
  const width = GATES[spec.cell] * hiddenSize;
  const rows = batchSequences * windowRows;
  const states = batchSequences * (windowRows + 1) * hiddenSize;
  const hidden = reserve(states);
  const dHidden = reserve(batchSequences * hiddenSize);
  return {
    ...{ hiddenSize, width, windowRows, hidden, dHidden, wHh: weights.wHh, bHh: weights.bHh, dBHh: gradients.bHh },
    start: spec.layerNorm ? reserve(width) : weights.bHh,
    gates: reserve(rows * width),
    recurrent: reserve(rows * width),
    cell: reserve(spec.cell === 'lstm' ? states : 0),
    inner: reserve(rows * hiddenSize),
    ...{ source: hidden, sourceStep: (windowRows + 1) * hiddenSize, dSource: dHidden },
    dCell: reserve(batchSequences * hiddenSize),
    wHhT: reserve(hiddenSize * width),
    ...norms(options),
    peephole:
      weights.peephole === undefined || gradients.peephole === undefined
        ? null
        : { weights: weights.peephole, gradients: gradients.peephole },
  };
}

/** The same with what U multiplies going through a dropout mask. */
export function maskedTape(tape: CellTape, options: TapeOptions): CellTape {
  const { batchSequences, windowRows, reserve } = options;
  const { hiddenSize } = tape;
  return {
    ...tape,
    ...{ source: reserve(batchSequences * windowRows * hiddenSize), sourceStep: windowRows * hiddenSize },
    dSource: reserve(batchSequences * hiddenSize),
  };
}

type Norms = Pick<CellTape, 'normIh' | 'normHh' | 'normC' | 'normSum'>;

function norms({ spec, weights, gradients, batchSequences, windowRows, reserve }: TapeOptions): Norms {
  const norm = (groups: readonly NormGroup[], gain: keyof LayerWeights, shift: keyof LayerWeights): Norm | null => {
    const [places, slopes] = [weights, gradients].map((tensors) => ({ gain: tensors[gain], shift: tensors[shift] }));
    if (places.gain === undefined || slopes.gain === undefined) return null;
    if (places.shift === undefined || slopes.shift === undefined) return null;
    const width = groups.reduce((sum, { count }) => sum + count, 0);
    return {
      ...{ width, groups, gain: places.gain, shift: places.shift, dGain: slopes.gain, dShift: slopes.shift },
      hat: reserve(batchSequences * windowRows * width),
      scale: reserve(batchSequences * windowRows * groups.length),
    };
  };
  const n = spec.hiddenSize;
  const gates = spec.cell === 'gru' ? [group(0, 2 * n), group(2 * n, n)] : [group(0, 4 * n)];
  return {
    normIh: norm(gates, 'normIh', 'bIh'),
    normHh: norm(gates, 'normHh', 'bHh'),
    normC: norm([group(0, n)], 'normC', 'normCShift'),
    normSum: norm([group(0, n)], 'normSum', 'bIh'),
  };
}

function group(from: number, count: number): NormGroup {
  return { from, count };
}
