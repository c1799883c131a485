import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { loadModel } from '@tideline/nn';
import { MODELS_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';
import { IMPORT_HELP, importFile, modelName } from './models-import.ts';
import { PROMOTE_HELP, promoteModels } from './models-promote.ts';

export function addModels(program: Program): void {
  const models = program.command('models').description('list, show, import and promote models');
  models
    .command('list')
    .description('one line a model')
    .option('--models <folder>', 'folder of the models', MODELS_FOLDER)
    .action(({ models: folder }) => program.run('models', () => list(folder)));
  models
    .command('show')
    .description("a model's shape and card, as JSON")
    .argument('<name>', 'name of the model')
    .option('--models <folder>', 'folder of the models', MODELS_FOLDER)
    .action((name, { models: folder }) =>
      program.run('models', async () => {
        const { model, card } = await loadModel(join(folder, name, 'model.tdl'));
        process.stdout.write(`${JSON.stringify({ spec: model.spec, digest: model.digest, card }, null, 2)}\n`);
      }),
    );
  models
    .command('import')
    .description('take over weights of another program: ONNX, PyTorch (safetensors), TensorFlow.js layers, raw float32')
    .argument('<file>', 'the file, or the folder of the model')
    .option('--out <folder>', 'folder of the models', MODELS_FOLDER)
    .option('--name <name>', "the model's name; the file's own without it", modelName)
    .addOption(new Option('--cell <cell>', 'what the weights must be').choices(['rnn', 'lstm', 'gru'] as const))
    .option('--replace', 'overwrite a model of this name')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', IMPORT_HELP)
    .action((file, options) => program.run('models', () => importFile(file, options)));
  models
    .command('promote')
    .description('give shards to another model: its forecasts from one position of each shard on')
    .argument('[name]', 'name of the new model; without it the one that the environment names', modelName)
    .option('--topic <topic>', 'only shards of this topic')
    .option('--models <folder>', 'folder of the models')
    .option('--json', 'print one line of JSON a shard')
    .addHelpText('after', PROMOTE_HELP)
    .action((name, options) =>
      program.run('models', (signals) => promoteModels(program.env, { name, options, signal: signals.drain })),
    );
}

async function list(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.filter((one) => one.isDirectory()).sort((a, b) => a.name.localeCompare(b.name))) {
    const { model } = await loadModel(join(folder, entry.name, 'model.tdl'));
    const { cell, inputSize, hiddenSize, layers, outputSize } = model.spec;
    process.stdout.write(
      `${entry.name.padEnd(20)} ${cell} ${inputSize} -> ${hiddenSize}x${layers} -> ${outputSize}  ${model.digest.slice(0, 12)}\n`,
    );
  }
}
