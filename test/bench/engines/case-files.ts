import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, initWeights, type Model, type ModelSpec, tensorShapes, tensorsOf } from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import { type BenchCase, INPUT_SETS, rowsOf } from './cases.ts';
import { GRAPHS_OF, onnxFile } from './onnx-graphs.ts';
import type { LoadRequest } from './protocol.ts';
import { bytesOf } from './vectors.ts';

const SEED = 7;

/** Writes the files of cases below `folder`: weights and graphs once a model, inputs once a case. */
export class CaseFiles {
  readonly #folder: string;
  #model: Model | null = null;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  /** The request that makes a case ready. Files of the case before may be overwritten. */
  write(benchCase: BenchCase): LoadRequest {
    const { spec, form, batch, length } = benchCase;
    const model = this.#modelOf(spec);
    const sets = form === 'step' ? INPUT_SETS : 1;
    return {
      do: 'load',
      ...{ spec, form, batch, length, sets },
      weights: join(this.#folder, 'weights.f32'),
      tensors: tensorShapes(spec),
      inputs: this.#write('inputs.f32', bytesOf(normalValues(sets * rowsOf(benchCase) * spec.inputSize))),
      graphs: this.#graphsOf(model, benchCase),
    };
  }

  #modelOf(spec: ModelSpec): Model {
    if (this.#model?.spec === spec) return this.#model;
    const model = createModel(spec, initWeights(spec, mulberry32(SEED)));
    this.#write('weights.f32', Buffer.concat(tensorsOf(model.weights).map(bytesOf)));
    this.#model = model;
    return model;
  }

  #graphsOf(model: Model, { form }: BenchCase): Record<string, string> {
    const graphs: Record<string, string> = {};
    for (const name of GRAPHS_OF[form]) {
      const bytes = onnxFile(model, name);
      if (bytes !== null) graphs[name] = this.#write(`${name}.onnx`, bytes);
    }
    return graphs;
  }

  #write(name: string, bytes: Uint8Array): string {
    const path = join(this.#folder, name);
    writeFileSync(path, bytes);
    return path;
  }
}

/** Standardised features: normal values (Box-Muller) from a seed. */
function normalValues(count: number): Float32Array {
  const random = mulberry32(SEED + 1);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}
