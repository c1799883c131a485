import { createReferenceEngine } from '../engines/reference.ts';
import { headOf } from '../heads/read-head.ts';
import type { Model } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { decoderInputSizeOf } from '../tensors.ts';
import { assertFinite, assertLength, InputError, stepsOf } from './input-error.ts';
import { type EngineWork, inTurn, partModel, stateOf, withSlot } from './part-model.ts';
import type { SequenceOptions, SequenceOutputs } from './sequence-model.ts';

/** Outputs of one call at most. */
const STEPS_MAX = 1_000_000;

export interface DecodeOptions {
  /** Outputs to write, at most; with `stop` fewer. */
  readonly steps: number;
  /** What the first step reads as the output before, [feedbackSize]: the last value observed, say. Zeros unless given. */
  readonly first?: Float32Array;
  /** Values known ahead, [steps][knownSize]; needed where the spec has a knownSize. */
  readonly known?: Float32Array;
  /** Teacher forcing: step t reads targets[t - 1] instead of its own output before, to score a model. [steps][feedbackSize]. */
  readonly targets?: Float32Array;
  /** True after the last output that is wanted, an end-of-sequence class, say: that output is kept and none follows. outputs: [outputSize]. */
  readonly stop?: (outputs: Float32Array, step: number) => boolean;
}

/** A model from a sequence of any length to another of any length. */
export interface EncoderDecoder {
  readonly model: Model;
  /** Values of an output that the next step reads. */
  readonly feedbackSize: number;
  /**
   * Reads inputs [T][inputSize], then writes outputs [steps][outputSize], `steps` at most. `state` is the decoder's at its end. Throws
   * InputError where inputs or options have another shape or are not finite.
   */
  run(inputs: Float32Array, options: DecodeOptions): Promise<SequenceOutputs>;
  dispose(): void;
}

/**
 * Encoder-decoder. The encoder reads x_1..x_T; the decoder, a network of the same cell and size with weights of its own, begins with the
 * encoder's state at the end (h and c of every layer) and writes
 *   s_t = decoder([v_{t-1}, k_t, summary], s_{t-1}), z_t = W_head s_t + b_head, outputs_t = head(z_t),
 * where v_{t-1} is what the head feeds back of the output before (linear: z itself; quantiles: the middle one of each target; classes: 1 at
 * the likeliest, 0 elsewhere), v_0 is `first`, k_t is known ahead and the summary is the encoder's h_T of the top layer (`summaryEachStep`).
 * Source: I. Sutskever, O. Vinyals, Q. Le, "Sequence to Sequence Learning with Neural Networks", 2014 (the state alone); K. Cho et al.,
 * "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014 (the summary at each step).
 * Throws ModelError where the model has no decoder or the engine cannot step its cell.
 */
export function createEncoderDecoder(model: Model, options: SequenceOptions = {}): EncoderDecoder {
  const { spec, weights } = model;
  const { engine = createReferenceEngine, runsMax = 64 } = options;
  if (!spec.decoder || !weights.decoder)
    throw new ModelError(
      `Model '${spec.name}' has no decoder: run it with createSequenceModel, or train one with a decoder.`,
    );
  const { knownSize = 0, summaryEachStep = false } = spec.decoder;
  const size = decoderInputSizeOf(spec);
  // The encoder's outputs are not read: a head of one zero row.
  const none = { headW: new Float32Array(spec.hiddenSize), headB: new Float32Array(1) };
  const encoder = engine(
    partModel(spec, { name: 'encoder', inputSize: spec.inputSize, layers: weights.layers, head: none }),
    { slotsMax: runsMax },
  );
  const decoder = engine(
    partModel(spec, { name: 'decoder', inputSize: size, layers: weights.decoder, head: weights }),
    {
      slotsMax: runsMax,
    },
  );
  const head = headOf(spec);
  const { feedbackSize } = head;

  function encode(inputs: Float32Array, steps: number): EngineWork<Float32Array> {
    return withSlot(encoder, null, function* (slot) {
      const rows = Uint32Array.from({ length: steps }, (_, t) => t);
      yield encoder.run({ slot, rows, inputs, outputs: new Float32Array(steps) }) ?? undefined;
      return yield* stateOf(encoder, slot);
    });
  }

  async function run(inputs: Float32Array, decode: DecodeOptions): Promise<SequenceOutputs> {
    const sourceSteps = stepsOf(inputs, spec.inputSize, `Inputs of '${spec.name}'`);
    assertDecode(spec.name, decode, { feedbackSize, knownSize });
    const begin = await inTurn(encode(inputs, sourceSteps));
    const x = new Float32Array(size);
    if (summaryEachStep)
      x.set(begin.subarray((spec.layers - 1) * spec.hiddenSize, spec.layers * spec.hiddenSize), size - spec.hiddenSize);
    if (decode.first) x.set(decode.first);
    const work = withSlot(decoder, begin, function* (slot) {
      const outputs = new Float32Array(decode.steps * spec.outputSize);
      const z = new Float32Array(spec.outputSize);
      const at = { slots: Uint32Array.of(slot), rows: Uint32Array.of(0), inputs: x, outputs: z };
      let steps = 0;
      for (let stopped = false; steps < decode.steps && !stopped; steps += 1) {
        if (decode.known) x.set(decode.known.subarray(steps * knownSize, (steps + 1) * knownSize), feedbackSize);
        yield decoder.step(at) ?? undefined;
        const output = outputs.subarray(steps * spec.outputSize, (steps + 1) * spec.outputSize);
        head.read(z, 0, output, 0);
        if (decode.targets) x.set(decode.targets.subarray(steps * feedbackSize, (steps + 1) * feedbackSize));
        else head.feedBack(z, 0, x, 0);
        stopped = decode.stop?.(output, steps) ?? false;
      }
      return { steps, outputs: outputs.slice(0, steps * spec.outputSize), state: yield* stateOf(decoder, slot) };
    });
    return inTurn(work);
  }

  return {
    ...{ model, feedbackSize, run },
    dispose() {
      encoder.dispose();
      decoder.dispose();
    },
  };
}

function assertDecode(
  name: string,
  decode: DecodeOptions,
  sizes: { readonly feedbackSize: number; readonly knownSize: number },
): void {
  const { steps, first, known, targets } = decode;
  const { feedbackSize, knownSize } = sizes;
  if (!Number.isInteger(steps) || steps < 1 || steps > STEPS_MAX)
    throw new InputError(`Outputs of '${name}': steps is ${steps}, must be a whole number from 1 to ${STEPS_MAX}.`);
  const parts = [
    ['first', first, feedbackSize, 1],
    ['known', known ?? (knownSize > 0 ? new Float32Array(0) : undefined), knownSize, steps],
    ['targets', targets, feedbackSize, steps],
  ] as const;
  for (const [part, values, size, rows] of parts) {
    if (values === undefined) continue;
    assertLength(values, rows * size, `'${part}' of '${name}', [${rows}][${size}]`);
    assertFinite(values, size, `'${part}' of '${name}'`);
  }
}
