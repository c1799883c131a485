/**
 * Next-day realised variance of one index fund (five-minute returns): fit on the first 978 usable days, test on the last 495. A linear model of the same
 * inputs stands beside a small LSTM (`skipConnection`), so that the network learns only what the linear model cannot say.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createModel, type Model, type ModelSpec, type TrainingSequence, trainRecurrent } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { createDeclaredStream, declarationDigest, readStreamFile, rowValuesOf } from '@tideline/streams';
import { pipelinePass } from '../backtest/pipeline-pass.ts';
import type { BacktestResult, Figures, ForecastTrack, Metric, NamedFigures, SeedFigures } from '../backtest/result.ts';
import { leastSquares } from '../least-squares.ts';
import { readRecordFiles } from '../record-files.ts';
import { readRows, type SeriesRows } from '../series-rows.ts';
import { letSignalsThrough } from '../signals.ts';
import { foldScaling, scalingOf, standardised } from '../standardise.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';

export const spyVolatility: Recipe = {
  name: 'spy-volatility',
  summary: "next day's realised variance of an index fund: QLIKE and squared error of its log against log-HAR",
  folder: 'ticks-highfrequency',
  files: ['spy_realized.csv'],
  run,
};

const STREAM = fileURLToPath(new URL('../../streams/realised-volatility.yaml', import.meta.url));
/** Days before the month's mean is whole. */
const FIRST_ROW = 21;
/** The protocol's 978 of 1,473 usable days; of those, so many of the last choose the epoch. A history of another length is cut in the same shares. */
const FIT_SHARE = 978 / 1_473;
const VALIDATION_SHARE = 200 / 978;
const USABLE_ROWS_MIN = 300;
/** A chunk's first rows only bring the state up. */
const CHUNK = { rows: 120, step: 20, unscored: 20 } as const;
const SETTINGS = {
  epochs: 30,
  batchSequences: 16,
  learningRate: 5e-3,
  weightDecay: 1e-2,
  dropout: { beforeHead: 0.3 },
  clipNorm: 1,
} as const;

/** Of a normal distribution's middle 80 %. */
const Z80 = 1.2815515655446004;
const TRADING_DAYS = 252;

const METRICS: readonly Metric[] = [
  { name: 'QLIKE', better: 'lower', target: 0.225 },
  { name: 'log MSE', better: 'lower', target: 0.405 },
  { name: 'R2', better: 'higher' },
  { name: 'coverage 80 %', better: 'neither' },
];

const PUBLISHED: readonly NamedFigures[] = [
  {
    name: 'log-HAR',
    figures: { QLIKE: 0.225, 'log MSE': 0.405, R2: 0.473 },
    source: "the data folder's README; model of F. Corsi, Journal of Financial Econometrics 7(2), 2009",
  },
];

async function run({ folder, seeds, progress, signal }: RecipeOptions): Promise<BacktestResult> {
  const declaration = readStreamFile(STREAM);
  const { records, files } = await readRecordFiles(
    spyVolatility.files.map((file) => join(folder, file)),
    { stream: STREAM, map: {}, key: 'SPY' },
  );
  const stream = createDeclaredStream(declaration, { modelName: declaration.model });
  const valueAt = rowValuesOf(declaration).contextAt('rv5');
  const read = readRows(stream, records);
  const task = taskOf(read.series[0], valueAt);
  const found: { readonly figures: SeedFigures; readonly model: Model; readonly forecast: Forecast }[] = [];
  for (const seed of seeds) {
    const { model, epoch } = await trainSeed(task, { seed, name: declaration.model, ...(signal ? { signal } : {}) });
    const pass = await pipelinePass({ stream, model, records, ...(signal ? { signal } : {}) });
    const forecast = withVariance(task, Float64Array.from(pass.series[0].outputs));
    const figures = score(task, forecast);
    found.push({ figures: { seed, figures, epoch }, model, forecast });
    await progress(
      `seed ${seed}: QLIKE ${figures.QLIKE.toFixed(4)}, log MSE ${figures['log MSE'].toFixed(4)}, epoch ${epoch}`,
    );
  }
  const refused = Object.fromEntries([...read.refused.values()].map(({ count, reason }) => [reason, count]));
  const steps = { records: records.length, series: read.series.length, steps: task.rows };
  return {
    name: spyVolatility.name,
    task: "log of the next day's realised variance (five-minute returns); its mean is exp(forecast + s2/2), s2 from the validation days",
    data: { files, from: dayOf(task.timeMs[0]), to: dayOf(task.timeMs[task.rows - 1]), ...steps, refused },
    split:
      `training ${task.validation - FIRST_ROW} days, validation the ${task.test - task.validation} after them (chooses the epoch, gives s2), ` +
      `test the ${task.end - task.test} after those, from ${dayOf(task.timeMs[task.test])}`,
    model: { ...found[0].model.spec, ...SETTINGS, chunks: CHUNK },
    tables: [
      {
        title: `next day's realised variance, test ${dayOf(task.timeMs[task.test])} to ${dayOf(task.timeMs[task.end])}`,
        metrics: METRICS,
        seeds: found.map(({ figures }) => figures),
        baselines: baselines(task),
        published: PUBLISHED,
      },
    ],
    tracks: [trackOf(task, found[0].forecast)],
    trained: { model: found[0].model, seed: seeds[0], declaration: declarationDigest(declaration) },
    notes: ['The interval is the forecast +- 1.2816 s, s from the validation days.'],
  };
}

interface Task {
  readonly rows: number;
  readonly inputSize: number;
  readonly inputs: Float32Array;
  readonly timeMs: Float64Array;
  /** Log of each day's realised variance: row t forecasts row t + 1. */
  readonly log: Float64Array;
  /** First rows of validation and test, and the row behind the last whose next day is known. */
  readonly validation: number;
  readonly test: number;
  readonly end: number;
}

function taskOf(one: SeriesRows, valueAt: number): Task {
  const { rows, inputs, timeMs, context } = one;
  const contextSize = context.length / rows;
  const log = Float64Array.from({ length: rows }, (_, row) => Math.log(context[row * contextSize + valueAt]));
  const end = rows - 1;
  const usable = end - FIRST_ROW;
  if (usable < USABLE_ROWS_MIN)
    throw new ConfigError([
      `The series has ${rows} days: the split needs ${USABLE_ROWS_MIN + FIRST_ROW + 1} (docs/recipes/spy-volatility.md).`,
    ]);
  const fit = Math.round(FIT_SHARE * usable);
  const test = FIRST_ROW + fit;
  return {
    rows,
    inputSize: inputs.length / rows,
    inputs,
    timeMs,
    log,
    validation: test - Math.round(VALIDATION_SHARE * fit),
    test,
    end,
  };
}

async function trainSeed(
  task: Task,
  { seed, name, signal }: { readonly seed: number; readonly name: string; readonly signal?: AbortSignal },
): Promise<{ readonly model: Model; readonly epoch: number }> {
  const { inputSize, validation, test, log } = task;
  const spec: ModelSpec = {
    name,
    cell: 'lstm',
    inputSize,
    hiddenSize: 8,
    layers: 1,
    outputSize: 1,
    skipConnection: true,
  };
  const inputs = scalingOf(task.inputs, { columns: inputSize, from: FIRST_ROW, to: validation });
  const outputs = scalingOf(log, { columns: 1, from: FIRST_ROW + 1, to: validation + 1 });
  const scaled = { x: standardised(task.inputs, inputs), y: standardised(log, outputs) };
  const part = (from: number, to: number, scoredFrom: number): TrainingSequence => ({
    inputs: scaled.x.subarray(from * inputSize, to * inputSize),
    rows: to - from,
    loss: (said, row, gradient) => {
      if (from + row < scoredFrom) return null;
      const error = said[0] - scaled.y[from + row + 1];
      gradient[0] = 2 * error;
      return error * error;
    },
  });
  const train: TrainingSequence[] = [];
  for (let from = FIRST_ROW; from < validation - CHUNK.unscored; from += CHUNK.step)
    train.push(part(from, Math.min(from + CHUNK.rows, validation), from === FIRST_ROW ? from : from + CHUNK.unscored));
  const { weights, history } = await trainRecurrent({
    ...SETTINGS,
    ...{ spec, seed, train, validation: [part(FIRST_ROW, test, validation)] },
    ...{ windowRows: CHUNK.rows, patience: SETTINGS.epochs, onEpoch: letSignalsThrough },
    ...(signal ? { signal } : {}),
  });
  const epoch = history.findLast(({ best }) => best)?.epoch ?? 0;
  return { model: createModel(spec, foldScaling(spec, weights, { inputs, outputs })), epoch };
}

/** Of the log, row t's of the day after it; and the variance of its error on the validation days. */
interface Forecast {
  readonly log: Float64Array;
  readonly variance: number;
}

function withVariance({ validation, test, log }: Task, forecast: Float64Array): Forecast {
  let squares = 0;
  let sum = 0;
  for (let row = validation; row < test; row += 1) {
    const error = log[row + 1] - forecast[row];
    sum += error;
    squares += error * error;
  }
  const n = test - validation;
  return { log: forecast, variance: squares / n - (sum / n) ** 2 };
}

/** A. Patton, "Volatility forecast comparison using imperfect volatility proxies", Journal of Econometrics 160, 2011: QLIKE is y/f - ln(y/f) - 1. */
function score({ log, test, end }: Task, { log: forecast, variance }: Forecast): Figures {
  const days = Array.from({ length: end - test }, (_, i) => ({ y: log[test + i + 1], f: forecast[test + i] }));
  const mean = (of: (day: { y: number; f: number }) => number): number =>
    days.reduce((sum, day) => sum + of(day), 0) / days.length;
  const expected = (f: number): number => Math.exp(f + variance / 2);
  const level = mean(({ y }) => Math.exp(y));
  const half = Z80 * Math.sqrt(variance);
  return {
    QLIKE: mean(({ y, f }) => Math.exp(y) / expected(f) - (y - f - variance / 2) - 1),
    'log MSE': mean(({ y, f }) => (y - f) ** 2),
    R2: 1 - mean(({ y, f }) => (Math.exp(y) - expected(f)) ** 2) / mean(({ y }) => (Math.exp(y) - level) ** 2),
    'coverage 80 %': mean(({ y, f }) => (Math.abs(y - f) <= half ? 1 : 0)),
  };
}

/** Each is fitted on training and validation days; its s2 is that of its own errors there. */
function baselines(task: Task): NamedFigures[] {
  const { rows, inputSize, inputs, log, test } = task;
  const columns = (picked: readonly number[]): Forecast => {
    const x = Float64Array.from({ length: rows * (picked.length + 1) }, (_, at) => {
      const row = Math.floor(at / (picked.length + 1));
      const column = at % (picked.length + 1);
      return column === 0 ? 1 : inputs[row * inputSize + picked[column - 1]];
    });
    const width = picked.length + 1;
    const b = leastSquares(x.subarray(FIRST_ROW * width, test * width), log.subarray(FIRST_ROW + 1, test + 1), {
      columns: width,
    });
    return fitted(
      task,
      Float64Array.from({ length: rows }, (_, row) => b.reduce((sum, value, i) => sum + value * x[row * width + i], 0)),
    );
  };
  const every = Array.from({ length: inputSize }, (_, i) => i);
  return [
    // It states no interval.
    { name: 'last value', figures: without(score(task, { log, variance: 0 }), 'coverage 80 %') },
    { name: 'EWMA', figures: score(task, fitted(task, ewmaOf(task))) },
    { name: 'log-HAR', figures: score(task, columns([0, 1, 2])) },
    { name: 'linear, all inputs', figures: score(task, columns(every)) },
  ];
}

function without(figures: Figures, metric: string): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => name !== metric));
}

/** With the variance of its error on all days before the test. */
function fitted(task: Task, forecast: Float64Array): Forecast {
  return withVariance({ ...task, validation: FIRST_ROW }, forecast);
}

/** Exponential mean of the log with the weight that is best before the test. */
function ewmaOf(task: Task): Float64Array {
  const candidates = Array.from({ length: 19 }, (_, i) => {
    const weight = (i + 1) / 20;
    const forecast = Float64Array.from(task.log);
    for (let row = 1; row < task.rows; row += 1)
      forecast[row] = forecast[row - 1] + weight * (task.log[row] - forecast[row - 1]);
    return fitted(task, forecast);
  });
  return candidates.reduce((best, one) => (one.variance < best.variance ? one : best)).log;
}

/** In per cent of volatility a year, as people read it. */
function trackOf({ log, timeMs, test, end }: Task, { log: forecast, variance }: Forecast): ForecastTrack {
  const yearly = (value: number): number => 100 * Math.sqrt(TRADING_DAYS * Math.exp(value));
  const half = Z80 * Math.sqrt(variance);
  const days = forecast.subarray(test, end);
  return {
    ...{ series: 'SPY, volatility in % a year', horizon: '1 day', timeMs: timeMs.subarray(test, end) },
    ...{ truth: log.subarray(test + 1, end + 1).map(yearly), forecast: days.map(yearly) },
    interval: { low: days.map((f) => yearly(f - half)), high: days.map((f) => yearly(f + half)), stated: 0.8 },
  };
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
