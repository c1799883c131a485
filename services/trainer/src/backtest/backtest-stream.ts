/**
 * Any declared stream of quantiles over any history: walk-forward folds, each trained on what lies before it and tested by what the pipeline emits; beside
 * baselines that were fitted on the same rows.
 */
import {
  type CellKind,
  type EpochReport,
  type Model,
  type ModelSpec,
  middleOf,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import { ConfigError, type Stream, splitLine } from '@tideline/pipeline';
import {
  createDeclaredStream,
  type Declaration,
  declarationDigest,
  levelName,
  type QuantileOutput,
  type SourceRecord,
} from '@tideline/streams';
import { QUANTILE_TRAINING, SERIES_ROWS_MIN, taskOf, tooLittle } from '../declared.ts';
import { type QuantileTask, segmentsBetween } from '../quantile-task.ts';
import { createSeriesModel, embeddingTraining } from '../series-embedding.ts';
import { type RowsRead, readRows, type SeriesRows } from '../series-rows.ts';
import { letSignalsThrough } from '../signals.ts';
import { dataOf, modelOf, notesOf, splitOf } from './describe-backtest.ts';
import { type PointReader, pipelinePass } from './pipeline-pass.ts';
import type { BacktestResult, Figures, ForecastTrack, Metric, ResultTable, TrainedSeed } from './result.ts';
import { type ReturnSeries, returnSeries } from './return-series.ts';
import { baselinesOf, type Said, scoreFold } from './score-fold.ts';
import { coverageName, type ScoredReturn, scoreReturns, statedShare } from './score-returns.ts';
import { type Fold, rowsBefore, walkForward } from './walk-forward.ts';

export interface BacktestStreamOptions {
  readonly declaration: Declaration;
  readonly records: readonly SourceRecord[];
  readonly files: BacktestResult['data']['files'];
  /** Serves all folds as it is; null: one is trained for each fold and seed. */
  readonly model: Model | null;
  readonly network: { readonly cell: CellKind; readonly hiddenSize: number; readonly layers: number };
  readonly epochs: number;
  readonly patience: number;
  readonly learningRate: number;
  readonly seeds: readonly number[];
  readonly folds: number;
  /** Steps of a season, for the seasonal naive; null: there is none. */
  readonly season: number | null;
  readonly progress: (message: string) => void | Promise<void>;
  /** Told after every epoch of every fold; `fold` counts from 1. */
  readonly onEpoch?: (
    report: EpochReport,
    at: { readonly seed: number; readonly fold: number },
  ) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** More series are scored together only. */
const SINGLE_SERIES_MAX = 5;

/** Throws ConfigError where the stream's output is not quantiles, or there is too little history. */
export async function backtestStream(options: BacktestStreamOptions): Promise<BacktestResult> {
  const history = historyOf(options);
  const { task, series, folds } = history;
  const runs: SeedRun[] = [];
  const tracks: ForecastTrack[] = [];
  let first: Pick<TrainedSeed, 'model' | 'epochs'> | null = null;
  for (const seed of options.model === null ? options.seeds : [0]) {
    const scored: ScoredReturn[][] = task.horizons.map(() => []);
    for (const [f, fold] of folds.entries()) {
      const { model, epochs, said } = await forecastFold(options, history, { fold, seed, number: f + 1 });
      if (seed === options.seeds[0]) first = { model, epochs };
      task.horizons.forEach((horizon, h) => {
        scored[h] = [...scored[h], ...scoreFold({ ...history, fold, horizon }, (one, row) => said(one, row, h))];
        if (runs.length === 0) tracks.push(...series.map((one) => trackOf(history, one, { fold, h, said })));
      });
      await options.progress(`${options.model === null ? `seed ${seed}, ` : ''}fold ${f + 1} of ${folds.length}`);
    }
    runs.push({ seed, scored });
  }
  return {
    name: options.declaration.name,
    task: `log return of ${history.output.of} over ${task.horizons.join(', ')} steps: quantiles ${task.levels.join(', ')}`,
    data: dataOf(options, history),
    split: splitOf(history, options.model),
    model: modelOf(options),
    tables: task.horizons.flatMap((_, h) => tablesOf(history, h, runs)),
    tracks: joined(tracks),
    notes: notesOf(options, history),
    ...(first && options.model === null
      ? { trained: { ...first, seed: options.seeds[0], declaration: declarationDigest(options.declaration) } }
      : {}),
  };
}

interface SeedRun {
  readonly seed: number;
  /** By horizon, over all folds. */
  readonly scored: readonly (readonly ScoredReturn[])[];
}

/** The records as series, and how they are cut. */
export interface History {
  readonly output: QuantileOutput;
  readonly stream: Stream;
  readonly task: QuantileTask;
  readonly read: RowsRead;
  /** Those with enough steps, as the network and as forecasts see them. */
  readonly rows: readonly SeriesRows[];
  readonly series: readonly ReturnSeries[];
  readonly rowsMin: number;
  readonly folds: readonly Fold[];
  readonly warmUp: number;
  readonly season: number | null;
}

function historyOf({ declaration, records, folds, season }: BacktestStreamOptions): History {
  const { output, model: modelName, warmUp, name } = declaration;
  if (output.kind !== 'quantiles')
    throw new ConfigError([
      `The output of stream '${name}' is raw: what it should have been is not said. Declare 'output: {kind: quantiles, of: …}', or run a recipe.`,
    ]);
  if (output.per !== 'steps')
    throw new ConfigError([
      `Stream '${name}' counts horizons in ${output.per}: this backtest scores them in steps. Declare 'per: steps', or run recipe ticks-hf.`,
    ]);
  const stream = createDeclaredStream(declaration, { modelName });
  const task = taskOf(declaration, output);
  const read = readRows(stream, records);
  const rowsMin = SERIES_ROWS_MIN + Math.max(...task.horizons) + warmUp;
  const rows = read.series.filter((one) => one.rows >= rowsMin);
  if (rows.length === 0) throw new ConfigError([tooLittle(declaration, read, rowsMin)]);
  const series = rows.map((one) => returnSeries(task, one));
  const cut = walkForward(
    rows.map(({ timeMs }) => timeMs),
    folds,
  );
  return { output, stream, task, read, rows, series, rowsMin, folds: cut, warmUp, season };
}

interface FoldRun {
  readonly fold: Fold;
  readonly seed: number;
  /** Of the fold, from 1. */
  readonly number: number;
}

/** What the pipeline said of a row, over the h-th horizon. */
type SaidOver = (one: ReturnSeries, row: number, h: number) => ReturnType<Said>;

async function forecastFold(
  options: BacktestStreamOptions,
  history: History,
  at: FoldRun,
): Promise<{ readonly model: Model; readonly epochs: readonly EpochReport[]; readonly said: SaidOver }> {
  const { records, signal, declaration } = options;
  const { task, output } = history;
  const { model, epochs } =
    options.model === null ? await trainFold(options, history, at) : { model: options.model, epochs: [] };
  const size = task.horizons.length * task.levels.length;
  const reader = { size, read: returnReader(output) };
  // With the model, as a forecaster makes it: an embedding's inputs are the model's.
  const stream = createDeclaredStream(declaration, { modelName: declaration.model, model });
  const pass = await pipelinePass({ stream, model, records, reader, ...(signal ? { signal } : {}) });
  const byKey = new Map(pass.series.map((one) => [one.key, one]));
  const count = task.levels.length;
  const middle = middleOf(task.levels);
  const said: SaidOver = ({ key }, row, h) => {
    const at = row * size + h * count;
    // Steps of a series that was quarantined end before its rows do.
    const quantiles = byKey.get(key)?.said.subarray(at, at + count) ?? [];
    return quantiles.length < count || Number.isNaN(quantiles[0]) ? null : { quantiles, point: quantiles[middle] };
  };
  return { model, epochs, said };
}

/** Takes the log returns `r10` ... from a row's points, a point a horizon in their order. */
function returnReader({ levels, horizons }: QuantileOutput): PointReader['read'] {
  const names = levels.map((level) => `r${levelName(level)}=`);
  return (lines, into) => {
    const forecasts = lines.filter((line) => !line.startsWith('alert,'));
    for (let h = 0; h < Math.min(forecasts.length, horizons.length); h += 1) {
      const fields = splitLine(forecasts[h]).fields.split(',');
      names.forEach((name, i) => {
        const field = fields.find((one) => one.startsWith(name));
        if (field !== undefined) into[h * names.length + i] = Number(field.slice(name.length));
      });
    }
  };
}

async function trainFold(
  { declaration, network, epochs, patience, learningRate, signal, onEpoch }: BacktestStreamOptions,
  { stream: { inputSize, outputSize }, task, rows }: History,
  { fold, seed, number }: FoldRun,
): Promise<{ readonly model: Model; readonly epochs: readonly EpochReport[] }> {
  const { embedding } = declaration;
  const table = embeddingTraining(embedding);
  const spec: ModelSpec = { name: declaration.model, ...network, inputSize, outputSize, ...table.spec };
  const part = (fromMs: number, toMs: number): TrainingSequence[] =>
    rows.flatMap((one) =>
      segmentsBetween(task, one, { first: rowsBefore(one.timeMs, fromMs), end: rowsBefore(one.timeMs, toMs) }),
    );
  const { weights, history } = await trainRecurrent({
    ...{ ...QUANTILE_TRAINING, ...table.training },
    ...{ spec, seed, epochs, patience, learningRate },
    onEpoch: async (report) => {
      await onEpoch?.(report, { seed, fold: number });
      await letSignalsThrough();
    },
    train: part(Number.NEGATIVE_INFINITY, fold.validationMs),
    validation: part(fold.validationMs, fold.testMs),
    ...(signal ? { signal } : {}),
  });
  // Series that begin with the test taught nothing.
  const keys = rows.filter((one) => rowsBefore(one.timeMs, fold.validationMs) > 0).map(({ key }) => key);
  return { model: createSeriesModel(spec, weights, { embedding, keys }), epochs: history };
}

/** One table over all series, and, where they are few, one for each: a mean over all would hide where the model is no better than a baseline. */
function tablesOf(history: History, h: number, runs: readonly SeedRun[]): ResultTable[] {
  const { task, folds, series } = history;
  const horizon = task.horizons[h];
  const byName = new Map<string, ScoredReturn[]>();
  for (const fold of folds) {
    const scoring = { ...history, fold, horizon };
    for (const { name, said } of baselinesOf(scoring))
      byName.set(name, [...(byName.get(name) ?? []), ...scoreFold(scoring, said)]);
  }
  const metrics: readonly Metric[] = [
    { name: 'pinball', better: 'lower' },
    { name: 'MASE', better: 'lower' },
    { name: coverageName(task.levels), better: 'neither' },
    { name: 'direction %', better: 'higher' },
    { name: 'MCC', better: 'higher' },
    { name: 'said up %', better: 'neither' },
  ];
  const ahead = `${horizon} step${horizon === 1 ? '' : 's'} ahead`;
  const table = (title: string, belongs: (row: ScoredReturn) => boolean): ResultTable => {
    const figures = (rows: readonly ScoredReturn[]): Figures => scoreReturns(rows.filter(belongs), task.levels);
    return {
      ...{ title, metrics, published: [] },
      seeds: runs.map(({ seed, scored }) => ({ seed, figures: figures(scored[h]) })),
      baselines: [...byName].map(([name, rows]) => ({ name, figures: figures(rows) })),
    };
  };
  const single = series.length > 1 && series.length <= SINGLE_SERIES_MAX ? series : [];
  return [
    table(ahead, () => true),
    ...single.map(({ key }) => table(`${ahead}, series ${key}`, (row) => row.key === key)),
  ];
}

/** In the value's own space. */
function trackOf(
  { task }: History,
  one: ReturnSeries,
  { fold, h, said }: { readonly fold: Fold; readonly h: number; readonly said: SaidOver },
): ForecastTrack {
  const horizon = task.horizons[h];
  const first = rowsBefore(one.timeMs, fold.testMs);
  const end = Math.max(first, Math.min(rowsBefore(one.timeMs, fold.endMs), one.rows - horizon));
  const rows = Array.from({ length: end - first }, (_, i) => first + i);
  const forecasts = rows.map((row) => said(one, row, h));
  const value = (row: number, log: number | undefined): number => Math.exp(one.log[row] + (log ?? Number.NaN));
  return {
    series: one.key,
    horizon: `${horizon} step${horizon === 1 ? '' : 's'}`,
    timeMs: one.timeMs.subarray(first, end),
    truth: rows.map((row) => Math.exp(one.log[row + horizon])),
    forecast: rows.map((row, i) => value(row, forecasts[i]?.point)),
    interval: {
      low: rows.map((row, i) => value(row, forecasts[i]?.quantiles[0])),
      high: rows.map((row, i) => value(row, forecasts[i]?.quantiles[task.levels.length - 1])),
      stated: statedShare(task.levels),
    },
  };
}

/** Tracks of one series and horizon, fold after fold, as one. */
function joined(tracks: readonly ForecastTrack[]): ForecastTrack[] {
  const groups = new Map<string, ForecastTrack[]>();
  for (const track of tracks) {
    const name = JSON.stringify([track.horizon, track.series]);
    groups.set(name, [...(groups.get(name) ?? []), track]);
  }
  const all = (parts: readonly ForecastTrack[], of: (track: ForecastTrack) => ArrayLike<number>): number[] =>
    parts.flatMap((track) => Array.from(of(track)));
  return [...groups.values()].map((parts) => ({
    ...parts[0],
    timeMs: all(parts, ({ timeMs }) => timeMs),
    truth: all(parts, ({ truth }) => truth),
    forecast: all(parts, ({ forecast }) => forecast),
    interval: {
      low: all(parts, ({ interval }) => interval?.low ?? []),
      high: all(parts, ({ interval }) => interval?.high ?? []),
      stated: parts[0].interval?.stated ?? Number.NaN,
    },
  }));
}
