import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TableFormat, tableFormatOf, writeTable } from '@tideline/adapters';
import { type CellKind, loadModel, saveModel } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  assertModelFits,
  type CallVolumeSettings,
  createDeclaredStream,
  describeStream,
  isStreamFile,
  readStreamFile,
} from '@tideline/streams';
import {
  assertNoEncoders,
  type BacktestResult,
  backtestCalls,
  backtestStream,
  backtestVolume,
  figuresTable,
  forecastsTable,
  RECIPES,
  readRecordFiles,
  recipeOf,
  resultCard,
  resultHtml,
  resultJson,
  resultText,
  runRecipe,
} from '@tideline/trainer';
import { parseMap } from '../field-map.ts';
import { type TextOptions, textReadingOf } from './text-reading.ts';
import { EXIT_STOPPED } from './train.ts';

export interface BacktestOptions extends TextOptions {
  readonly recipe?: string | undefined;
  readonly dataFolder: string;
  readonly stream?: string | undefined;
  readonly data?: readonly string[] | undefined;
  readonly map?: readonly string[] | undefined;
  readonly series?: string | undefined;
  readonly model?: string | undefined;
  readonly folds: number;
  readonly season?: number | undefined;
  readonly cell: CellKind;
  readonly hidden: number;
  readonly layers: number;
  readonly learningRate: number;
  readonly epochs: number;
  readonly patience: number;
  readonly seeds: number;
  readonly seed: number;
  readonly out?: string | undefined;
  readonly format: TableFormat;
  readonly save?: string | undefined;
  readonly json?: true | undefined;
}

/** What every run has. */
interface Run {
  readonly seeds: readonly number[];
  readonly progress: (message: string) => void;
  readonly signal: AbortSignal;
}

/** `tideline backtest`. Throws ConfigError where the recipe, the stream or the data is not there. */
export async function backtest(options: BacktestOptions, signal: AbortSignal): Promise<void> {
  const { recipe, stream, dataFolder, seeds: count, seed: first, out, save } = options;
  const run: Run = {
    seeds: Array.from({ length: count }, (_, i) => first + i),
    progress: (message) => void process.stderr.write(`${message}\n`),
    signal,
  };
  if (recipe !== undefined && stream !== undefined)
    throw new ConfigError(['A recipe has its own stream: name --recipe or --stream, not both.']);
  if (recipe === undefined && stream === undefined) {
    process.stdout.write(recipesText());
    return;
  }
  let result: BacktestResult;
  try {
    result =
      stream === undefined
        ? await runRecipe(recipeOf(recipe ?? ''), { ...run, dataFolder, ...(await textReadingOf(options)) })
        : await runStream(stream, options, run);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    process.stderr.write('tideline backtest: stopped; there is no result.\n');
    process.exitCode = EXIT_STOPPED;
    return;
  }
  if (out !== undefined) await writeResult(out, options.format, result);
  if (save !== undefined) await saveTrained(save, result);
  process.stdout.write(options.json ? `${JSON.stringify(resultJson(result))}\n` : resultText(result));
}

function recipesText(): string {
  const width = Math.max(...RECIPES.map(({ name }) => name.length));
  const lines = RECIPES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Recipes of --recipe:\n${lines.join('')}`;
}

async function runStream(path: string, options: BacktestOptions, run: Run): Promise<BacktestResult> {
  const { data = [], map = [], series: key, model: folder, folds, season = null } = options;
  if (path !== 'call-volume' && path !== 'calls' && !isStreamFile(path))
    throw new ConfigError([
      `--stream is '${path}', must be call-volume, calls or a file that declares a stream (.yaml, .json).`,
    ]);
  if (data.length === 0) throw new ConfigError(['Name the records to run over: --data <file...>.']);
  if (path === 'calls') return runCalls(options, run);
  assertNoEncoders(options, `the stream '${path}'`);
  const { callVolume } = describeStream(path);
  if (callVolume !== null) return runVolumes(path, callVolume, options, run);
  const declaration = readStreamFile(path);
  const { records, files } = await readRecordFiles(data, {
    stream: path,
    map: parseMap(map),
    ...(key === undefined ? {} : { key }),
  });
  const loaded = folder === undefined ? null : await loadModel(join(folder, 'model.tdl'));
  if (loaded)
    assertModelFits(createDeclaredStream(declaration, { modelName: '' }), loaded.model.spec, {
      declaration,
      card: loaded.card,
    });
  const { cell, hidden: hiddenSize, layers, epochs, patience, learningRate } = options;
  return backtestStream({
    ...run,
    ...{ declaration, records, files, folds, season, epochs, patience, learningRate },
    model: loaded?.model ?? null,
    network: { cell, hiddenSize, layers },
  });
}

/** A model that the backtest was given is where it was. */
async function saveTrained(folder: string, result: BacktestResult): Promise<void> {
  if (result.trained === undefined) return;
  const { model } = result.trained;
  const card = resultCard(result);
  await saveModel(join(folder, model.spec.name, 'model.tdl'), model, card);
  await writeFile(join(folder, model.spec.name, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  process.stderr.write(`model.tdl and card.json are in '${join(folder, model.spec.name)}'\n`);
}

async function runCalls(options: BacktestOptions, { seeds, progress, signal }: Run): Promise<BacktestResult> {
  const { data = [], map = [], model, epochs, folds } = options;
  if (folds !== 1 || model !== undefined)
    throw new ConfigError([
      'Calls have one test, the last ones, for models that are trained on the others: leave --folds and --model out.',
    ]);
  const read = await readRecordFiles(data, { stream: 'calls', map: parseMap(map) });
  return backtestCalls({ ...read, ...(await textReadingOf(options)), seeds, epochs, progress, trainer: { signal } });
}

async function runVolumes(
  stream: string,
  settings: CallVolumeSettings,
  options: BacktestOptions,
  run: Run,
): Promise<BacktestResult> {
  const { data = [], map = [], series: key, model: folder, epochs, folds } = options;
  if (folds !== 1) throw new ConfigError(['Call volumes have one test, the last days: leave --folds out.']);
  const { records, files } = await readRecordFiles(data, {
    stream,
    map: parseMap(map),
    ...(key === undefined ? {} : { key }),
  });
  const loaded = folder === undefined ? null : await loadModel(join(folder, 'model.tdl'));
  if (loaded) assertModelFits(describeStream(stream).create({ modelName: '' }), loaded.model.spec);
  return backtestVolume({
    ...run,
    name: settings.name,
    settings,
    records,
    files,
    epochs,
    model: loaded?.model ?? null,
  });
}

/** A path that ends in a table's format gets the forecasts alone; any other one is a folder for all there is. */
async function writeResult(path: string, format: TableFormat, result: BacktestResult): Promise<void> {
  if (tableFormatOf(path) !== null) {
    await mkdir(dirname(path), { recursive: true });
    await writeTable(path, forecastsTable(result));
    if (result.tracks.length === 0)
      process.stderr.write(
        `This backtest keeps no single forecasts: '${path}' has no rows. Name a folder for its figures.\n`,
      );
    return;
  }
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'index.html'), resultHtml(result));
  await writeTable(join(path, `figures.${format}`), figuresTable(result));
  await writeTable(join(path, `forecasts.${format}`), forecastsTable(result));
  await writeFile(join(path, 'result.json'), `${JSON.stringify(resultJson(result), null, 2)}\n`);
}
