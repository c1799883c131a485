import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createModel, type Model, type ModelSpec, tensorShapes, weightsOf } from '@tideline/nn';

const MAGIC = 'TIDELINE-GOLDEN';
const VERSION = 1;

/** Models that every engine steps. */
export const GOLDEN_CASES = ['rnn-1', 'lstm-1', 'lstm-2', 'gru-after-1', 'gru-after-2', 'gru-before-1'] as const;
/** Models with a form that an engine may refuse (`assertServes`). */
export const GOLDEN_FORMS = [
  'lstm-peephole-2',
  'lstm-norm-2',
  'gru-norm-after-2',
  'gru-norm-before-1',
  'rnn-norm-1',
] as const;
/** Models over complete sequences. */
export const GOLDEN_SEQUENCES = [
  'bi-rnn-1',
  'bi-lstm-2',
  'bi-lstm-3',
  'bi-gru-2',
  'lstm-classes-1',
  'gru-quantiles-2',
] as const;
export const GOLDEN_ENCODER_DECODERS = [
  'encoder-decoder-gru-1',
  'encoder-decoder-lstm-2',
  'encoder-decoder-rnn-2',
] as const;

interface GoldenHeader {
  readonly magic: string;
  readonly version: number;
  readonly torch: string;
  readonly spec: ModelSpec;
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** What PyTorch computed (`make.py`); numbers flat, [sequence][step][...]. */
export interface Golden extends GoldenHeader {
  readonly sequences: number;
  readonly steps: number;
  readonly carriedAfter: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly statesCarried: readonly number[];
  readonly statesAtEnd: readonly number[];
}

/** One complete sequence (`sequence.py`); numbers flat, [step][...]. */
export interface GoldenSequence {
  readonly steps: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** PyTorch's h_n, then c_n. */
  readonly state: readonly number[];
}

/** One sequence read and one written. */
export interface GoldenTranslation {
  readonly steps: number;
  readonly inputs: readonly number[];
  readonly decoded: number;
  readonly first: readonly number[];
  readonly known: readonly number[];
  readonly targets: readonly number[];
  readonly free: Pick<GoldenSequence, 'outputs' | 'state'>;
  readonly forced: Pick<GoldenSequence, 'outputs' | 'state'>;
}

export function readGolden(name: string): { readonly golden: Golden; readonly model: Model } {
  return read<Golden>(name, MAGIC);
}

/** A model over complete sequences and what it makes of them. */
export function readGoldenSequences<T extends GoldenSequence | GoldenTranslation>(
  name: string,
): { readonly sequences: readonly T[]; readonly model: Model } {
  const { golden, model } = read<GoldenHeader & { readonly sequences: readonly T[] }>(name, `${MAGIC}-SEQUENCE`);
  return { sequences: golden.sequences, model };
}

function read<T extends GoldenHeader>(name: string, magic: string): { readonly golden: T; readonly model: Model } {
  const path = fileURLToPath(new URL(`../../golden/${name}.json`, import.meta.url));
  const golden = JSON.parse(readFileSync(path, 'utf8')) as T;
  if (golden.magic !== magic || golden.version !== VERSION)
    throw new Error(`${path} is no golden file of version ${VERSION}: run test/golden/make.py.`);
  const tensors = tensorShapes(golden.spec).map(({ name: tensor }) => Float32Array.from(golden.weights[tensor]));
  return { golden, model: createModel(golden.spec, weightsOf(golden.spec, tensors)) };
}
