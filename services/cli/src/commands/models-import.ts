import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CellKind, ImportError, type ImportedModel, importModel, type ModelCard, saveModel } from '@tideline/nn';

export interface ImportArguments {
  readonly out: string;
  readonly name?: string | undefined;
  readonly cell?: CellKind | undefined;
  readonly replace?: true | undefined;
  readonly json?: true | undefined;
}

/** Imports a file, writes the model and its card, and says what it found. Throws ImportError; then nothing is written. */
export async function importFile(file: string, options: ImportArguments): Promise<void> {
  const { name, cell, out, replace } = options;
  const imported = await importModel(file, { ...(name && { name }), ...(cell && { cell }) });
  const { model } = imported;
  const folder = join(out, model.spec.name);
  const path = join(folder, 'model.tdl');
  if (!replace && (await exists(path)))
    throw new ImportError(
      `There is a model at '${path}' already. Give another --name, or --replace to overwrite it: ` +
        `forecasters that are started with it then wait for 'tideline models promote'.`,
    );
  const card = cardOf(imported);
  await saveModel(path, model, card);
  await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  process.stdout.write(options.json ? `${JSON.stringify({ ...card, folder })}\n` : described(imported, folder));
}

function cardOf({ model, format, files, notes }: ImportedModel): ModelCard {
  const { spec, digest } = model;
  return { name: spec.name, digest, spec, imported: { format, files }, notes };
}

function described({ model, format, files, notes }: ImportedModel, folder: string): string {
  const { name, cell, inputSize, hiddenSize, layers, outputSize, gruReset, peephole } = model.spec;
  const lines = [
    ['model', name],
    ['format', format],
    ['files', files.map(({ path, bytes }) => `${path} (${bytes} bytes)`).join(', ')],
    ['cell', `${cell}${gruReset ? `, reset ${gruReset}` : ''}${peephole ? ', peepholes' : ''}`],
    ['sizes', `${inputSize} -> ${hiddenSize} x ${layers} layer${layers === 1 ? '' : 's'} -> ${outputSize}`],
    ['digest', model.digest],
    ...notes.map((note) => ['note', note]),
    ['written', `${join(folder, 'model.tdl')}, card.json`],
  ];
  return lines.map(([label, text]) => `${label.padEnd(9)}${text}\n`).join('');
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
