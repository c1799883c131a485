/**
 * Quantiles of the log return 1, 10 and 60 seconds ahead, of real trades and quotes: one model for all symbols of a kind, learnt from the first part of the
 * history, its intervals calibrated online. Every figure is of the last third of each symbol's rows, as the pipeline said it.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createModel, type Model, type ModelSpec, trainRecurrent } from '@tideline/nn';
import {
  createDeclaredStream,
  type Declaration,
  horizonName,
  type QuantileOutput,
  readStreamFile,
  rowValuesOf,
  spanMsOf,
} from '@tideline/streams';
import { type PointReader, pipelinePass, type SeriesPass } from '../backtest/pipeline-pass.ts';
import type { BacktestResult, Figures, ForecastTrack, Metric, NamedFigures, SeedFigures } from '../backtest/result.ts';
import { taskOf } from '../declared.ts';
import { aimOf, type QuantileTask, segmentsBetween } from '../quantile-task.ts';
import { readRecordFiles } from '../record-files.ts';
import { readRows } from '../series-rows.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';
import { baselinesOf, hoursOf, meanPinball, ratioError, type Said } from './tick-scores.ts';

export const ticksHf: Recipe = {
  name: 'ticks-hf',
  summary:
    'quantiles of trades and quotes 1, 10 and 60 seconds ahead: pinball loss, and coverage of the 80 % interval hour by hour',
  folder: 'ticks-highfrequency',
  files: ['trades_multi.csv.gz', 'quotes_raw.csv.gz'],
  run,
};

const KINDS = [
  { stream: 'ticks-hf-trades', file: 'trades_multi.csv.gz' },
  { stream: 'ticks-hf-quotes', file: 'quotes_raw.csv.gz' },
] as const;
/** Shares of a symbol's rows: training, then validation up to the last third. */
const TRAIN_SHARE = 0.53;
const TEST_SHARE = 2 / 3;
const SETTINGS = {
  epochs: 30,
  patience: 6,
  batchSequences: 4,
  windowRows: 64,
  learningRate: 2e-3,
  averaging: 0.998,
  clipNorm: 1,
} as const;
const HIDDEN = 32;

const METRICS: readonly Metric[] = [
  { name: 'pinball, 1e-6', better: 'lower' },
  { name: 'against the best baseline', better: 'lower', target: 1 },
  { name: 'standard error of the ratio', better: 'neither' },
  { name: 'coverage 80 %', better: 'neither', target: [0.78, 0.82] },
  { name: 'lowest hour', better: 'neither', target: [0.78, 0.82] },
  { name: 'highest hour', better: 'neither', target: [0.78, 0.82] },
];

interface Kind {
  readonly declaration: Declaration;
  readonly output: QuantileOutput;
  readonly task: QuantileTask;
  readonly found: Awaited<ReturnType<typeof readRecordFiles>>;
}

async function run({ folder, seeds, progress, signal }: RecipeOptions): Promise<BacktestResult> {
  const tables: BacktestResult['tables'][number][] = [];
  const tracks: ForecastTrack[] = [];
  const kinds: Kind[] = [];
  const counts = { records: 0, series: 0, steps: 0 };
  const refused: Record<string, number> = {};
  const times: number[] = [];
  let spec: ModelSpec | null = null;
  for (const { stream: name, file } of KINDS) {
    const kind = await readKind(name, join(folder, file));
    kinds.push(kind);
    const bySeed: SeedFigures[][] = [];
    const parts: Part[][] = [];
    for (const seed of seeds) {
      const { model, epoch } = await train(kind, seed, signal);
      spec = model.spec;
      const pass = await pipelinePass({ ...passOptions(kind, model), ...(signal ? { signal } : {}) });
      const found = pass.series.flatMap((one) => kind.output.horizons.map((_, h) => partOf(kind, one, h)));
      parts.push(found);
      found.forEach((part, i) => {
        bySeed[i] ??= [];
        bySeed[i].push({ seed, figures: part.figures, epoch });
      });
      if (seed === seeds[0]) {
        counts.records += pass.records;
        counts.series += pass.series.length;
        for (const one of pass.series) {
          counts.steps += one.rows;
          times.push(one.timeMs[0], one.timeMs[one.rows - 1]);
        }
        for (const [reason, count] of Object.entries(pass.refused)) refused[reason] = (refused[reason] ?? 0) + count;
      }
      await progress(`${name}, seed ${seed}: epoch ${epoch}; ${found.map((part) => part.summary).join('; ')}`);
    }
    parts[0].forEach(({ title, baselines, track }, i) => {
      tables.push({ title, metrics: METRICS, seeds: bySeed[i], baselines, published: [] });
      tracks.push(track);
    });
  }
  const day = (ms: number): string => new Date(ms).toISOString();
  return {
    name: ticksHf.name,
    task: 'log return of the trade price, and of the middle of the quotes, 1, 10 and 60 s ahead: quantiles 0.1, 0.5, 0.9',
    data: {
      files: kinds.flatMap(({ found }) => found.files),
      ...{ from: day(Math.min(...times)), to: day(Math.max(...times)) },
      ...{ ...counts, refused },
    },
    split:
      'each symbol in time order: first 53 % of its rows training, up to two thirds validation (chooses the epoch), the last third test',
    model: { ...spec, ...SETTINGS },
    tables,
    tracks,
    notes: [
      'The truth is the value at the first row at the target time or after it. Pinball loss: mean over the three levels, of log returns.',
      'An hour is one of the last third, from its first row on; less than half an hour at the end belongs to the one before. ' +
        'Baselines know the rows before the test; the running ones go on.',
      'pinball against the best baseline: below 1 is better; the baseline is the best of those named, chosen on the test rows themselves. Its standard ' +
        'error is that of another test of this length, by blocks of ten minutes, not of another seed.',
    ],
  };
}

async function readKind(name: string, path: string): Promise<Kind> {
  const file = fileURLToPath(new URL(`../../streams/${name}.yaml`, import.meta.url));
  const declaration = readStreamFile(file);
  const { output } = declaration;
  if (output.kind !== 'quantiles') throw new TypeError(`Stream '${name}' makes no quantiles.`);
  const found = await readRecordFiles([path], { stream: file, map: {} });
  return { declaration, output, task: taskOf(declaration, output), found };
}

async function train(
  { declaration, task, found }: Kind,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly model: Model; readonly epoch: number }> {
  const stream = createDeclaredStream(declaration, { modelName: declaration.model });
  const { inputSize, outputSize } = stream;
  const series = readRows(stream, found.records).series;
  const spec: ModelSpec = {
    name: declaration.model,
    cell: 'gru',
    inputSize,
    hiddenSize: HIDDEN,
    layers: 1,
    outputSize,
  };
  const part = (from: number, to: number): ReturnType<typeof segmentsBetween> =>
    series.flatMap((one) =>
      segmentsBetween(task, one, { first: Math.floor(one.rows * from), end: Math.floor(one.rows * to) }),
    );
  const result = await trainRecurrent({
    ...{ spec, seed, ...SETTINGS },
    ...{ train: part(0, TRAIN_SHARE), validation: part(TRAIN_SHARE, TEST_SHARE) },
    ...(signal ? { signal } : {}),
  });
  const epoch = result.history.findLast(({ best }) => best)?.epoch ?? 0;
  return { model: createModel(spec, result.weights), epoch };
}

function passOptions({ declaration, output, found }: Kind, model: Model): Parameters<typeof pipelinePass>[0] {
  const stream = createDeclaredStream(declaration, { modelName: declaration.model });
  const reader: PointReader = { size: 3 * output.horizons.length, read: returnsOf };
  return { stream, model, records: found.records, reader };
}

/** r10, r50, r90 of a row's points, a point a horizon. */
function returnsOf(lines: readonly string[], into: Float64Array): void {
  const forecasts = lines.filter((line) => line.startsWith('forecast,'));
  forecasts.forEach((line, h) => {
    ['r10', 'r50', 'r90'].forEach((field, i) => {
      into[3 * h + i] = Number(new RegExp(`,${field}=([^, ]+)`).exec(line)?.[1] ?? Number.NaN);
    });
  });
}

interface Part {
  readonly title: string;
  readonly figures: Figures;
  readonly baselines: readonly NamedFigures[];
  readonly track: ForecastTrack;
  readonly summary: string;
}

/** One symbol and horizon of a pass. */
function partOf({ declaration, output, task }: Kind, one: SeriesPass, h: number): Part {
  const horizon = output.horizons[h];
  const spanMs = spanMsOf(horizon, output.per);
  const contextSize = one.context.length / one.rows;
  const { contextAt } = rowValuesOf(declaration);
  const valueAt = contextAt(output.of);
  const log = Float64Array.from({ length: one.rows }, (_, row) => Math.log(one.context[row * contextSize + valueAt]));
  const aims = Array.from({ length: one.rows }, (_, row) => aimOf(one.timeMs, row, horizon, spanMs));
  const truth = Float64Array.from(aims, (aim, row) => (aim < one.rows ? log[aim] - log[row] : Number.NaN));
  const unit = Float64Array.from({ length: one.rows }, (_, row) => one.context[row * contextSize + task.unitAt]);
  const first = Math.floor(one.rows * TEST_SHARE);
  const rows = Array.from({ length: one.rows - first }, (_, i) => first + i).filter((row) => !Number.isNaN(truth[row]));
  const size = 3 * output.horizons.length;
  const ours: Said = (row) => one.said.subarray(row * size + 3 * h, row * size + 3 * h + 3);
  const scoring = { rows, truth, timeMs: one.timeMs };
  const named = baselinesOf({ ...scoring, aims, log, unit, fitted: first, levels: output.levels });
  const best = named.reduce((a, b) => (b.pinball < a.pinball ? b : a));
  const pinball = meanPinball(ours, scoring, output.levels);
  const hours = hoursOf(ours, scoring);
  const ratio = pinball / best.pinball;
  const error = ratioError(ours, best.said, scoring, output.levels);
  const against = { 'against the best baseline': ratio, 'standard error of the ratio': error };
  const figures = { ...figuresOf(pinball, hours), ...against };
  const name = horizonName(horizon, output.per);
  const price = (of: (row: number) => number): number[] => rows.map((row) => Math.exp(log[row] + of(row)));
  return {
    title: `${one.key}, ${name} ahead (${declaration.name}, ${rows.length} forecasts in ${hours.shares.length} hours)`,
    figures,
    baselines: named.map((baseline) => ({
      name: baseline.name,
      figures: figuresOf(baseline.pinball, hoursOf(baseline.said, scoring)),
    })),
    track: {
      ...{ series: one.key, horizon: name, timeMs: rows.map((row) => one.timeMs[row]) },
      ...{ truth: price((row) => truth[row]), forecast: price((row) => ours(row)[1]) },
      interval: { low: price((row) => ours(row)[0]), high: price((row) => ours(row)[2]), stated: 0.8 },
    },
    summary: `${one.key} ${name} ${ratio.toFixed(3)} ± ${error.toFixed(3)} [${hours.shares.map((share) => share.toFixed(3)).join(' ')}]`,
  };
}

function figuresOf(pinball: number, { all, shares }: ReturnType<typeof hoursOf>): Figures {
  const hours = { 'lowest hour': Math.min(...shares), 'highest hour': Math.max(...shares) };
  return { 'pinball, 1e-6': pinball * 1e6, 'coverage 80 %': all, ...hours };
}
