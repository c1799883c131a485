import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';
import { modelsOption } from './option-values.ts';

/** A model's name is a folder's name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const IMPORT_HELP = `
What can be imported (the file, or its folder):
  model.onnx            RNN, GRU or LSTM nodes, or one step written out (MatMul, Gemm, Sigmoid, Tanh ...), and a linear head
  model.safetensors     a PyTorch state dict of nn.RNN, nn.GRU or nn.LSTM and one nn.Linear
  model.json            a Keras model in TensorFlow.js layers format (tensorflowjs_converter), with its shards beside it
  weights.json          the raw form: little-endian float32 in weights.bin beside it, PyTorch's names and layouts

Writes FOLDER/NAME/model.tdl and card.json. Exit code 78 where the file cannot be taken over; the message names what is in the way.

  tideline models import step.onnx --name ticks-v2
  tideline models import model.safetensors --cell gru --out models --json
`;

const PROMOTE_HELP = `
A shard belongs to one model, the one that its states are of, and forecasters with another leave it alone. So a change takes three steps:

  1. Start forecasters with the new model beside the old ones:  TIDELINE_MODEL=ticks=ticks-v2 tideline forecaster
  2. Give the shards over:                                      tideline models promote ticks-v2 --topic ticks
  3. Stop the forecasters with the old model.

Each shard changes at one position: every record below it is the old model's, every other one the new one's, whose series begin anew there. The old model's
states are removed. The position is kept in the checkpoints, so a crash or a loss of Redis changes nothing about it. Safe to repeat; back again is the
same with the old model's name. Where TIDELINE_CHECKPOINT_INTERVAL_MS is 0 or TIDELINE_CHECKPOINT_RESTORE is off, a loss of Redis can undo the change.

Without a name every topic gets the model that forecasters with this environment use (TIDELINE_MODEL, or the stream's own). Retrained weights under the
same name are another model, too. 'demo' has one forecaster only and takes another model at once.
`;

export function addModels(program: Program): void {
  const models = program.command('models').description('list, show, import and promote models');
  models
    .command('list')
    .description('one line a model')
    .addOption(modelsOption('--models <folder>'))
    .action(({ models: folder }) =>
      program.run('models', async () => (await import('./models-show.ts')).listModels(folder)),
    );
  models
    .command('show')
    .description("a model's shape and card, as JSON")
    .argument('<name>', 'name of the model')
    .addOption(modelsOption('--models <folder>'))
    .action((name, { models: folder }) =>
      program.run('models', async () => (await import('./models-show.ts')).showModel(folder, name)),
    );
  models
    .command('import')
    .description('take over weights of another program: ONNX, PyTorch (safetensors), TensorFlow.js layers, raw float32')
    .argument('<file>', 'the file, or the folder of the model')
    .addOption(modelsOption('--out <folder>'))
    .option('--name <name>', "the model's name; the file's own without it", modelName)
    .addOption(new Option('--cell <cell>', 'what the weights must be').choices(['rnn', 'lstm', 'gru'] as const))
    .option('--replace', 'overwrite a model of this name')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', IMPORT_HELP)
    .action((file, options) =>
      program.run('models', async () => (await import('./models-import.ts')).importFile(file, options)),
    );
  models
    .command('promote')
    .description('give shards to another model: its forecasts from one position of each shard on')
    .argument('[name]', 'name of the new model; without it the one that the environment names', modelName)
    .option('--topic <topic>', 'only shards of this topic')
    .option('--models <folder>', "folder of the models (default: TIDELINE_MODELS, else Tideline's own)")
    .option('--json', 'print one line of JSON a shard')
    .addHelpText('after', PROMOTE_HELP)
    .action((name, options) =>
      program.run('models', async ({ drain: signal }) =>
        (await import('./models-promote.ts')).promoteModels(program.env, { name, options, signal }),
      ),
    );
}

function modelName(text: string): string {
  if (!NAME.test(text))
    throw new InvalidArgumentError(
      'must be letters, digits, dots, dashes and underscores, at most 64, with a letter or digit first.',
    );
  return text;
}
