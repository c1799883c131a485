import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@tideline/nn';

/** `tideline models list`: one line a model. */
export async function listModels(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.filter((one) => one.isDirectory()).sort((a, b) => a.name.localeCompare(b.name))) {
    const { model } = await loadModel(join(folder, entry.name, 'model.tdl'));
    const { cell, inputSize, hiddenSize, layers, outputSize } = model.spec;
    process.stdout.write(
      `${entry.name.padEnd(20)} ${cell} ${inputSize} -> ${hiddenSize}x${layers} -> ${outputSize}  ${model.digest.slice(0, 12)}\n`,
    );
  }
}

/** `tideline models show`: a model's shape and card, as JSON. */
export async function showModel(folder: string, name: string): Promise<void> {
  const { model, card } = await loadModel(join(folder, name, 'model.tdl'));
  process.stdout.write(`${JSON.stringify({ spec: model.spec, digest: model.digest, card }, null, 2)}\n`);
}
