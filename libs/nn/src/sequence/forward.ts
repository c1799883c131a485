import type { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import { partModel, stateOf, withSlot } from './part-model.ts';
import type { LinearRun } from './sequence-model.ts';

/** A network in one direction: one engine runs all its layers and the head. */
export function createForward({ spec, weights }: Model, make: (part: Model) => Engine): LinearRun {
  const { inputSize, outputSize } = spec;
  const engine = make(partModel(spec, { name: 'layers', inputSize, layers: weights.layers, head: weights }));
  return {
    run: ({ inputs, steps, state, last }) =>
      withSlot(engine, state, function* (slot) {
        const z = new Float32Array(steps * outputSize);
        const rows = Uint32Array.from({ length: steps }, (_, t) => t);
        yield engine.run({ slot, rows, inputs, outputs: z }) ?? undefined;
        return { z: last ? z.slice((steps - 1) * outputSize) : z, state: yield* stateOf(engine, slot) };
      }),
    dispose: () => engine.dispose(),
  };
}
