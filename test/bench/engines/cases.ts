/** What is measured: shapes, how they are driven, and how many multiply-adds a step has. */
import { GATES, type ModelSpec } from '@tideline/nn';

/**
 * `step`: one call advances `batch` distinct series by one step. `run`: one call advances one series by `length` steps and gives every output.
 * `window`: one call starts from a zero state, takes `length` steps and gives the last output.
 */
export type Form = 'step' | 'run' | 'window';

export interface BenchCase {
  readonly id: string;
  readonly title: string;
  readonly spec: ModelSpec;
  readonly form: Form;
  /** Series a call; 1 where the form is not `step`. */
  readonly batch: number;
  /** Steps of a call; 1 where the form is `step`. */
  readonly length: number;
  /** Largest difference to the reference that two float32 implementations of the case may have. */
  readonly tolerance: number;
}

export const BATCHES = [1, 8, 64, 512] as const;
export const RUN_LENGTH = 1_000;
/** Distinct inputs that the calls of a case cycle through. */
export const INPUT_SETS = 8;
const TOLERANCE = 1e-5;
/** Sums of thousands of products, a hundred steps deep. */
const TOLERANCE_DEEP = 1e-4;

const SHAPES: readonly ModelSpec[] = [
  { name: 'LSTM 8->32x1', cell: 'lstm', inputSize: 8, hiddenSize: 32, layers: 1, outputSize: 3 },
  { name: 'LSTM 16->64x2', cell: 'lstm', inputSize: 16, hiddenSize: 64, layers: 2, outputSize: 3 },
  { name: 'LSTM 32->128x2', cell: 'lstm', inputSize: 32, hiddenSize: 128, layers: 2, outputSize: 3 },
  { name: 'GRU 16->64x1', cell: 'gru', inputSize: 16, hiddenSize: 64, layers: 1, outputSize: 3 },
];
const QUICK_SHAPE = 'LSTM 16->64x2';

/** Shapes of STAC-ML Markets (Inference), which STAC publishes: window x features, layers x units. Only the shapes are theirs. */
const STAC_SHAPES: readonly { readonly spec: ModelSpec; readonly window: number }[] = [
  { window: 50, spec: { name: 'LSTM_A', cell: 'lstm', inputSize: 100, hiddenSize: 100, layers: 2, outputSize: 1 } },
  { window: 100, spec: { name: 'LSTM_B', cell: 'lstm', inputSize: 250, hiddenSize: 200, layers: 3, outputSize: 1 } },
  { window: 100, spec: { name: 'LSTM_C', cell: 'lstm', inputSize: 500, hiddenSize: 1_000, layers: 4, outputSize: 1 } },
];

/** Cases of throughput; the quick ones are the shape that the targets are about. */
export function throughputCases({ quick }: { readonly quick: boolean }): BenchCase[] {
  const shapes = SHAPES.filter(({ name }) => !quick || name === QUICK_SHAPE);
  return shapes.flatMap((spec) => [
    ...BATCHES.map((batch) => benchCase({ spec, form: 'step', batch, length: 1 })),
    benchCase({ spec, form: 'run', batch: 1, length: RUN_LENGTH }),
  ]);
}

/** Cases of latency, one inference a call; the quick ones leave the largest out. */
export function latencyCases({ quick }: { readonly quick: boolean }): BenchCase[] {
  const shapes = STAC_SHAPES.filter(({ spec }) => !quick || spec.name !== 'LSTM_C');
  return shapes.flatMap(({ spec, window }) => [
    benchCase({ spec, form: 'step', batch: 1, length: 1 }),
    benchCase({ spec, form: 'window', batch: 1, length: window }),
  ]);
}

/** Multiply-adds of one step of one series: both products of every layer, and the head. */
export function macsOf({ cell, inputSize, hiddenSize, layers, outputSize }: ModelSpec): number {
  const inputs = inputSize + (layers - 1) * hiddenSize;
  return GATES[cell] * hiddenSize * (inputs + layers * hiddenSize) + outputSize * hiddenSize;
}

/** Steps of one call, over all its series. */
export function stepsOf({ batch, length }: BenchCase): number {
  return batch * length;
}

/** Rows of inputs that one call reads. */
export function rowsOf({ form, batch, length }: Pick<BenchCase, 'form' | 'batch' | 'length'>): number {
  return form === 'step' ? batch : length;
}

/** Rows of outputs that one call gives. */
export function outputRowsOf(benchCase: Pick<BenchCase, 'form' | 'batch' | 'length'>): number {
  return benchCase.form === 'window' ? 1 : rowsOf(benchCase);
}

function benchCase(wanted: Pick<BenchCase, 'spec' | 'form' | 'batch' | 'length'>): BenchCase {
  const { spec, form, batch, length } = wanted;
  const what = { step: `batch ${batch}`, run: `run of ${length}`, window: `window of ${length}` }[form];
  const isStac = STAC_SHAPES.some((shape) => shape.spec === spec);
  return {
    ...wanted,
    id: `${spec.name}/${form === 'step' ? batch : form}`,
    title: `${spec.name}, ${isStac && form === 'step' ? 'carried state' : what}`,
    tolerance: isStac ? TOLERANCE_DEEP : TOLERANCE,
  };
}
