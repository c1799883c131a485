import {
  type CellKind,
  type EpochReport,
  type ModelCard,
  type ModelSpec,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  createDeclaredStream,
  type Declaration,
  declarationDigest,
  keyBucket,
  type QuantileOutput,
  rowValuesOf,
  type SourceRecord,
} from '@tideline/streams';
import {
  marginRows,
  type QuantileScore,
  type QuantileTask,
  type SeriesGroups,
  scoreQuantiles,
  segmentsOf,
  TEST_SHARE,
  TRAIN_SHARE,
} from './quantile-task.ts';
import { createSeriesModel, embeddingTraining, gatherInputs } from './series-embedding.ts';
import { type RowsRead, readRows, type SeriesRows } from './series-rows.ts';
import type { TrainedModel, TrainerOptions } from './trained-model.ts';

export interface NetworkOptions {
  readonly cell: CellKind;
  readonly hiddenSize: number;
  readonly layers: number;
}

export interface DeclaredTrainerOptions extends TrainerOptions {
  readonly declaration: Declaration;
  readonly records: Iterable<SourceRecord>;
  /** What the card says of the records: where they came from. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly network: NetworkOptions;
  readonly learningRate: number;
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number;
}

/** Fewer steps leave nothing to learn from or to score. */
export const SERIES_ROWS_MIN = 20;
/** How quantiles are learnt, whatever the stream. */
export const QUANTILE_TRAINING = { windowRows: 64, batchSequences: 16, clipNorm: 1 } as const;
/** More series are scored together only. */
const GROUPS_MAX = 20;

/**
 * Trains the model of a declared stream on records, read by the stream's own code: quantiles of the log return over its horizons. Throws ConfigError where
 * the stream's output is not quantiles, or no series is long enough.
 */
export async function trainDeclared(options: DeclaredTrainerOptions): Promise<TrainedModel> {
  const { declaration, network } = options;
  const { embedding } = declaration;
  const table = embeddingTraining(embedding);
  const { output, model: name } = declaration;
  if (output.kind !== 'quantiles')
    throw new ConfigError([
      `The output of stream '${declaration.name}' is raw: what it should learn is not said. Declare 'output: {kind: quantiles, of: …}'.`,
    ]);
  const stream = createDeclaredStream(declaration, { modelName: name });
  const read = readRows(stream, options.records);
  const task = taskOf(declaration, output);
  const margin = marginRows(task);
  const series = read.series.filter(({ rows }) => rows >= SERIES_ROWS_MIN + margin);
  if (series.length === 0) throw new ConfigError([tooLittle(declaration, read, SERIES_ROWS_MIN + margin)]);
  const { inputSize, outputSize } = stream;
  const spec: ModelSpec = { name, ...network, inputSize, outputSize, ...table.spec };
  const part = (from: number, to: number): TrainingSequence[] =>
    series.flatMap((one) => segmentsOf(task, one, from, to));
  const result = await trainRecurrent({
    ...trainerOptions(options),
    spec,
    train: part(0, TRAIN_SHARE),
    validation: part(TRAIN_SHARE, TEST_SHARE),
    ...{ ...QUANTILE_TRAINING, ...table.training },
  });
  const model = createSeriesModel(spec, result.weights, { embedding, keys: series.map(({ key }) => key) });
  gatherInputs(model, series, embedding);
  const scores = scoreQuantiles(task, series, model, groupsOf(series));
  const found = { read, series, digest: model.digest, history: result.history };
  return { model, card: card(options, found, scores) };
}

/** Without what only this trainer knows. */
function trainerOptions(
  options: DeclaredTrainerOptions,
): TrainerOptions & Pick<DeclaredTrainerOptions, 'learningRate' | 'patience'> {
  const { declaration: _, records: __, source: ___, network: ____, ...rest } = options;
  return rest;
}

/** What a declared stream's quantiles are of, and where a row's context has it. */
export function taskOf(declaration: Declaration, { levels, horizons, per, of, unit }: QuantileOutput): QuantileTask {
  const { contextAt, meanGapAt } = rowValuesOf(declaration);
  const { embedding } = declaration;
  return {
    ...{ levels, horizons, per, valueAt: contextAt(of), unitAt: unit === null ? -1 : contextAt(unit), meanGapAt },
    ...(embedding === null ? {} : { bucketOf: (key: string) => keyBucket(key, embedding) }),
  };
}

function groupsOf(series: readonly SeriesRows[]): SeriesGroups {
  const single = series.length > 1 && series.length <= GROUPS_MAX ? series : [];
  return {
    'all series': () => true,
    ...Object.fromEntries(single.map(({ key }) => [`series ${key}`, (other: string) => other === key])),
  };
}

/** Why there is nothing to learn from or to score. */
export function tooLittle({ name, key }: Declaration, { series, refused }: RowsRead, rowsMin: number): string {
  const longest = Math.max(0, ...series.map(({ rows }) => rows));
  const reasons = [...refused.values()].map(({ count, reason }) => `${count} refused, such as: ${reason}`).join('; ');
  return (
    `No series of stream '${name}' has the ${rowsMin} steps that it takes; the longest of ${series.length} has ${longest}` +
    `${reasons === '' ? '' : ` (${reasons})`}. Check that '${key}' is the field of the series' id, or give more records.`
  );
}

/** In how many rows each kind of alert was raised: splits that the guard saw, for example. */
export function countAlerts(declaration: Declaration, series: readonly SeriesRows[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, contextAt } of rowValuesOf(declaration).alerts) {
    counts[kind] ??= 0;
    for (const one of series) {
      const contextSize = one.context.length / one.rows;
      for (let row = 0; row < one.rows; row += 1)
        if (!Number.isNaN(one.context[row * contextSize + contextAt])) counts[kind] += 1;
    }
  }
  return counts;
}

function card(
  { declaration, source, seed, network, learningRate, patience }: DeclaredTrainerOptions,
  found: {
    readonly read: RowsRead;
    readonly series: readonly SeriesRows[];
    readonly digest: string;
    readonly history: readonly EpochReport[];
  },
  test: Readonly<Record<string, QuantileScore>>,
): ModelCard {
  const { read, series, digest, history } = found;
  const times = series.flatMap(({ timeMs }) => [timeMs[0], timeMs[timeMs.length - 1]]);
  const day = (ms: number): string => new Date(ms).toISOString();
  return {
    name: declaration.model,
    digest,
    stream: declaration.name,
    /** Of what the model learnt by: a stream that declares otherwise refuses it. */
    declaration: declarationDigest(declaration),
    task: `quantiles of the log return, ${JSON.stringify(declaration.output)}`,
    data: [
      {
        ...source,
        range: `${day(Math.min(...times))} to ${day(Math.max(...times))}`,
        series: series.length,
        steps: series.reduce((sum, { rows }) => sum + rows, 0),
        seriesTooShort: read.series.length - series.length,
        refused: Object.fromEntries(read.refused),
        lateOrRepeated: read.untimely,
        alerts: countAlerts(declaration, series),
      },
    ],
    split:
      'each series in time order: first 70 % training, next 15 % validation (chooses the epoch), last 15 % test (reported only)',
    settings: {
      ...network,
      ...(declaration.embedding ? { embedding: declaration.embedding } : {}),
      learningRate,
      patience,
    },
    seed,
    epochs: history,
    test,
    units: [
      'pinball loss: mean over the levels, in units of a return.',
      'normalPinball: quantiles of a normal distribution with that unit as its deviation around the last value.',
      "empiricalPinball: the training part's own quantiles of its returns in that unit.",
      'gainError: standard error of empiricalPinball - pinball, rows taken as independent.',
    ].join(' '),
  };
}
