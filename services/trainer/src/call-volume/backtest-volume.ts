/** Calls to come over any history: trained on the days before, tested by what the pipeline emits, beside what a planner has without a network. */
import type { Model } from '@tideline/nn';
import { ConfigError, type Stream, splitLine } from '@tideline/pipeline';
import {
  type CallVolumeSettings,
  createCallVolumeStream,
  type SourceRecord,
  VOLUME_HORIZONS,
  VOLUME_LEVELS,
} from '@tideline/streams';
import { type PointReader, pipelinePass } from '../backtest/pipeline-pass.ts';
import type { BacktestResult, ForecastTrack, Metric, ResultTable, SeedFigures } from '../backtest/result.ts';
import { type RowsRead, readRows } from '../series-rows.ts';
import { type ScoredVolume, scoreVolume } from './score-volume.ts';
import { trainVolume, VOLUME_NETWORK, VOLUME_TRAINING } from './train-volume.ts';
import { type VolumeBaseline, volumeBaselines } from './volume-baselines.ts';
import { splitDays, type VolumeSeries, type VolumeSplit, volumeSeries } from './volume-task.ts';

export interface BacktestVolumeOptions {
  readonly name: string;
  readonly settings: CallVolumeSettings;
  readonly records: readonly SourceRecord[];
  readonly files: BacktestResult['data']['files'];
  readonly seeds: readonly number[];
  readonly epochs: number;
  /** Served as it is; null: one is trained for each seed. */
  readonly model: Model | null;
  /** Largest mean absolute error of the next interval; absent: that of the best baseline. */
  readonly target?: number;
  readonly notes?: readonly string[];
  readonly progress: (message: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

const DAY_MS = 86_400_000;
const COVERAGE = [78, 82] as const;
const TITLES = ['next interval', '1 hour ahead', '4 hours ahead', 'same time of the next open day'] as const;

/** Throws ConfigError where there are fewer than fourteen days, or nothing can be read. */
export async function backtestVolume(given: BacktestVolumeOptions): Promise<BacktestResult> {
  const options = { ...given, records: inTime(given.records) };
  const history = historyOf(options);
  const { series, split } = history;
  const baselines = new Map(series.map((one) => [one, volumeBaselines(one, split)]));
  const rows = VOLUME_HORIZONS.map((_, h) =>
    series.flatMap((one) => testRows(one, split, h, baselines.get(one) ?? [])),
  );
  const seeds: SeedFigures[][] = VOLUME_HORIZONS.map(() => []);
  let tracks: readonly ForecastTrack[] = [];
  let kept: Model | null = null;
  for (const seed of options.model === null ? options.seeds : [0]) {
    const { forecast, epoch, trained } = await forecasts(options, history, seed);
    kept ??= trained;
    rows.forEach((horizon, h) => {
      const scored = horizon.flatMap(({ one, row, came }) => scoredRow(forecast(one, row, h), came));
      seeds[h].push({ seed, figures: scoreVolume(scored), ...(epoch === null ? {} : { epoch }) });
    });
    if (tracks.length === 0)
      tracks = rows.flatMap((horizon, h) => series.map((one) => trackOf(one, h, horizon, forecast)));
    const maes = seeds.map(
      (figures, h) => `${VOLUME_HORIZONS[h]} ${figures[figures.length - 1].figures.MAE.toFixed(2)}`,
    );
    await options.progress(`${options.model === null ? `seed ${seed}` : 'the given model'}: MAE ${maes.join(', ')}`);
  }
  return {
    name: options.name,
    task: 'calls of an interval ahead: median, and the middle 80 %',
    data: dataOf(options, history),
    split: splitText(split),
    model:
      options.model === null
        ? { ...VOLUME_NETWORK, ...VOLUME_TRAINING, epochs: options.epochs }
        : { ...options.model.spec },
    tables: VOLUME_HORIZONS.map((_, h) => tableOf(h, rows[h], seeds[h], options.target)),
    tracks,
    notes: [...NOTES, ...(options.notes ?? [])],
    ...(kept === null ? {} : { trained: { model: kept, seed: options.seeds[0], declaration: null } }),
  };
}

/** A table of history may be sorted by queue, or newest first; a source would have delivered it by time. */
export function inTime(records: readonly SourceRecord[]): readonly SourceRecord[] {
  return [...records].sort((a, b) => a.timestampMs - b.timestampMs);
}

const NOTES: readonly string[] = [
  'Hours ahead are hours on the clock: a slot that is closed has no forecast.',
  'The first slot after a closure that nobody announced was not forecast as the next interval, and is not scored.',
  'The target of a horizon without a number of its own is the best baseline on the same rows.',
  "The AR's coefficients, one set a horizon, are fitted on all days before the test.",
];

interface History {
  readonly stream: Stream;
  readonly read: RowsRead;
  readonly series: readonly VolumeSeries[];
  readonly split: VolumeSplit;
}

function historyOf({ settings, records }: BacktestVolumeOptions): History {
  const stream = createCallVolumeStream({ modelName: settings.model, settings });
  const read = readRows(stream, records);
  if (read.series.length === 0) throw new ConfigError([nothingRead(read)]);
  const series = read.series.map(volumeSeries);
  return { stream, read, series, split: splitDays(series) };
}

export function nothingRead({ refused }: RowsRead): string {
  const [first] = refused.values();
  const reason = first === undefined ? 'no record says how long its interval is' : first.reason;
  return `No queue has calls to learn from: ${reason} Map the columns with --map queue=… ts=… calls=…, and --key where there is one queue only.`;
}

interface TestRow {
  readonly one: VolumeSeries;
  readonly row: number;
  readonly came: number;
  readonly baselines: ReadonlyMap<string, number>;
}

/** Rows whose horizon speaks of a slot of the test that came, and for which every baseline has a forecast. */
function testRows(
  one: VolumeSeries,
  { test }: VolumeSplit,
  h: number,
  baselines: readonly VolumeBaseline[],
): TestRow[] {
  const found: TestRow[] = [];
  for (let row = 0; row < one.one.rows; row += 1) {
    const came = one.calls.get(one.slot(row, h));
    if (came === undefined || !(one.day(row, h) >= test)) continue;
    const values = new Map(baselines.map(({ name, forecast }) => [name, forecast(row, h)]));
    if ([...values.values()].every(Number.isFinite)) found.push({ one, row, came, baselines: values });
  }
  return found;
}

/** Quantiles that the pipeline said at a row; null: none. */
type Forecast = (one: VolumeSeries, row: number, h: number) => readonly number[] | null;

async function forecasts(
  { records, settings, model: given, epochs, signal }: BacktestVolumeOptions,
  { stream, series, split }: History,
  seed: number,
): Promise<{ readonly forecast: Forecast; readonly epoch: number | null; readonly trained: Model | null }> {
  const abort = signal ? { signal } : {};
  const trained =
    given === null
      ? await trainVolume({
          stream,
          modelName: settings.model,
          series,
          split,
          seed,
          epochs,
          onEpoch: () => {},
          ...abort,
        })
      : null;
  const model = trained?.model ?? given;
  if (model === null) throw new TypeError('A model is given or trained.');
  const pass = await pipelinePass({ stream, model, records, reader: READER, ...abort });
  const byKey = new Map(pass.series.map((one) => [one.key, one.said]));
  const forecast: Forecast = ({ one }, row, h) => {
    const at = row * READER.size + h * VOLUME_LEVELS.length;
    const said = byKey.get(one.key)?.subarray(at, at + VOLUME_LEVELS.length) ?? [];
    return said.length < VOLUME_LEVELS.length || Number.isNaN(said[0]) ? null : [...said];
  };
  const epoch = trained?.history.findLast(({ best }) => best)?.epoch ?? null;
  return { forecast, epoch, trained: trained?.model ?? null };
}

/** Quantiles out of a row's points. */
const READER: PointReader = {
  size: VOLUME_HORIZONS.length * VOLUME_LEVELS.length,
  read: (lines, into) => {
    for (const line of lines) {
      const { head, fields } = splitLine(line);
      const h = VOLUME_HORIZONS.findIndex((name) => head.includes(`,horizon=${name},`));
      ['q10', 'q50', 'q90'].forEach((name, i) => {
        const field = fields.split(',').find((one) => one.startsWith(`${name}=`));
        if (field !== undefined) into[h * VOLUME_LEVELS.length + i] = Number(field.slice(name.length + 1));
      });
    }
  },
};

function scoredRow(said: readonly number[] | null, came: number): ScoredVolume[] {
  return said === null ? [] : [{ came, forecast: said[1], interval: [said[0], said[2]] }];
}

function tableOf(
  h: number,
  rows: readonly TestRow[],
  seeds: readonly SeedFigures[],
  target: number | undefined,
): ResultTable {
  const names = [...(rows[0]?.baselines.keys() ?? [])];
  const baselines = names.map((name) => ({
    name,
    figures: scoreVolume(rows.map(({ came, baselines: said }) => ({ came, forecast: said.get(name) ?? Number.NaN }))),
  }));
  const best = Math.floor(100 * Math.min(...baselines.map(({ figures }) => figures.MAE))) / 100;
  const metrics: readonly Metric[] = [
    { name: 'MAE', better: 'lower', target: h === 0 && target !== undefined ? target : best },
    { name: 'RMSE', better: 'lower' },
    { name: 'WAPE %', better: 'lower' },
    { name: 'coverage 80 %', better: 'neither', target: COVERAGE },
    { name: 'pinball', better: 'lower' },
  ];
  return { title: `${TITLES[h]}, ${rows.length} forecasts`, metrics, seeds, baselines, published: [] };
}

function trackOf(one: VolumeSeries, h: number, rows: readonly TestRow[], forecast: Forecast): ForecastTrack {
  const own = rows.filter((row) => row.one === one);
  const said = own.map(({ row }) => forecast(one, row, h) ?? [Number.NaN, Number.NaN, Number.NaN]);
  return {
    ...{ series: one.one.key, horizon: TITLES[h], timeMs: own.map(({ row }) => one.one.timeMs[row]) },
    ...{ truth: own.map(({ came }) => came), forecast: said.map(([, middle]) => middle) },
    interval: { low: said.map(([low]) => low), high: said.map(([, , high]) => high), stated: 0.8 },
  };
}

function dataOf({ records, files }: BacktestVolumeOptions, { read, series }: History): BacktestResult['data'] {
  const times = read.series.flatMap(({ timeMs, rows }) => [timeMs[0], timeMs[rows - 1]]);
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    ...{
      files,
      from: iso(Math.min(...times)),
      to: iso(Math.max(...times)),
      records: records.length,
      series: series.length,
    },
    steps: read.series.reduce((sum, { rows }) => sum + rows, 0),
    refused: Object.fromEntries([...read.refused.values()].map(({ count, reason }) => [reason, count])),
  };
}

export function splitText({ train, validation, test }: VolumeSplit): string {
  const day = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);
  return (
    `the days before ${day(train)} fill the memory, training from there, validation from ${day(validation)} ` +
    `(chooses the epoch, widens the intervals), test from ${day(test)}`
  );
}
