import { createSimdEngine } from '../engines/simd/engine.ts';
import type { Model, ModelWeights } from '../model.ts';
import { textEncoderSpecOf } from '../spec.ts';
import { createModel } from '../tensors.ts';
import { createSequenceModel } from './sequence-model.ts';

/** A model's text encoder, ready to run. */
export interface TextEncoder {
  /** It, as a model of its own: `spec.inputSize` values are to be given of each word, `spec.outputSize` come out of a text. */
  readonly model: Model;
  /** Reads words [words][inputSize], one at least, and writes [outputSize] values at `at`. The same words give the same bits everywhere. */
  write(words: Float32Array, inputs: Float32Array, at: number): void;
}

/** The text encoder of a model; null where it has none. Throws ModelError where no engine runs its cells. */
export function textEncoderOf({ spec, weights }: Pick<Model, 'spec' | 'weights'>): TextEncoder | null {
  const own = textEncoderSpecOf(spec);
  if (own === null) return null;
  const model = createModel(own, weights.textEncoder as ModelWeights);
  const network = createSequenceModel(model, { engine: createSimdEngine });
  return {
    model,
    write(words, inputs, at) {
      inputs.set(network.runNow(words).outputs, at);
    },
  };
}
