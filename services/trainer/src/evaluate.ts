import { createReferenceEngine, type Model } from '@tideline/nn';

/** Outputs of the model over one whole sequence, [rows][outputSize], by the reference engine. */
export function evaluate(model: Model, inputs: Float32Array, rows: number): Float32Array {
  const engine = createReferenceEngine(model, { slotsMax: 1 });
  const outputs = new Float32Array(rows * model.spec.outputSize);
  engine.run({ slot: engine.allocate(), rows: Uint32Array.from({ length: rows }, (_, row) => row), inputs, outputs });
  engine.dispose();
  return outputs;
}
