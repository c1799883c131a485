import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createModel, type Model, type ModelSpec, tensorShapes, weightsOf } from '@tideline/nn';

const MAGIC = 'TIDELINE-GOLDEN';
const VERSION = 1;

export const GOLDEN_CASES = ['rnn-1', 'lstm-1', 'lstm-2', 'gru-after-1', 'gru-after-2', 'gru-before-1'] as const;

/** What PyTorch computed (`make.py`); numbers flat, [sequence][step][...]. */
export interface Golden {
  readonly magic: string;
  readonly version: number;
  readonly torch: string;
  readonly spec: ModelSpec;
  readonly sequences: number;
  readonly steps: number;
  readonly carriedAfter: number;
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly statesCarried: readonly number[];
  readonly statesAtEnd: readonly number[];
}

export function readGolden(name: string): { readonly golden: Golden; readonly model: Model } {
  const path = fileURLToPath(new URL(`../../golden/${name}.json`, import.meta.url));
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  if (golden.magic !== MAGIC || golden.version !== VERSION)
    throw new Error(`${path} is no golden file of version ${VERSION}: run test/golden/make.py.`);
  const tensors = tensorShapes(golden.spec).map(({ name: tensor }) => Float32Array.from(golden.weights[tensor]));
  return { golden, model: createModel(golden.spec, weightsOf(golden.spec, tensors)) };
}
