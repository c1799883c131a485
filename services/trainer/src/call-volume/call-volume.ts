import type { EpochReport, ModelCard } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  CALL_VOLUME_DEFAULTS,
  type CallVolumeSettings,
  createCallVolumeStream,
  generatedCallVolume,
  type SourceRecord,
  VOLUME_HORIZONS,
} from '@tideline/streams';
import type { Figures } from '../backtest/result.ts';
import { readRows } from '../series-rows.ts';
import type { TrainedModel, TrainerOptions } from '../trained-model.ts';
import { backtestVolume, inTime, nothingRead, splitText } from './backtest-volume.ts';
import { trainVolume } from './train-volume.ts';
import { splitDays, volumeSeries } from './volume-task.ts';

export interface CallVolumeTrainerOptions extends TrainerOptions {
  readonly settings?: CallVolumeSettings;
  /** Absent: generated calls. */
  readonly records?: readonly SourceRecord[];
  /** What the card says of the records: where they came from. */
  readonly source?: Readonly<Record<string, unknown>>;
}

const GENERATED = { days: 180 } as const;

/** Trains the model of call volumes, of all queues together, and scores it on the last days. Throws ConfigError where there is too little. */
export async function trainCallVolume(options: CallVolumeTrainerOptions): Promise<TrainedModel> {
  const { settings = CALL_VOLUME_DEFAULTS, records: given, source, ...trainer } = options;
  const records = inTime(given ?? [...generatedCallVolume({ seed: options.seed + 5_000, ...GENERATED })]);
  const stream = createCallVolumeStream({ modelName: settings.model, settings });
  const read = readRows(stream, records);
  if (read.series.length === 0) throw new ConfigError([nothingRead(read)]);
  const series = read.series.map(volumeSeries);
  const split = splitDays(series);
  const { model, history } = await trainVolume({ ...trainer, stream, modelName: settings.model, series, split });
  const { tables } = await backtestVolume({
    ...{ name: settings.name, settings, records, files: [], seeds: [], epochs: 0, model, progress: () => {} },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const test = Object.fromEntries(
    tables.map(({ seeds, baselines }, h) => [
      VOLUME_HORIZONS[h],
      {
        ...seeds[0].figures,
        ...Object.fromEntries(baselines.map(({ name, figures }) => [`MAE of ${name}`, figures.MAE])),
      },
    ]),
  );
  const found = {
    digest: model.digest,
    history,
    test,
    split: splitText(split),
    queues: read.series.map(({ key }) => key),
  };
  return { model, card: card(settings.model, options.seed, source ?? GENERATED_SOURCE, found) };
}

const GENERATED_SOURCE = { source: 'libs/streams generatedCallVolume', kind: 'generated: not real', ...GENERATED };

function card(
  name: string,
  seed: number,
  source: Readonly<Record<string, unknown>>,
  found: {
    readonly digest: string;
    readonly history: readonly EpochReport[];
    readonly test: Readonly<Record<string, Figures>>;
    readonly split: string;
    readonly queues: readonly string[];
  },
): ModelCard {
  return {
    ...{ name, digest: found.digest },
    task: `quantiles 0.1, 0.5, 0.9 of the calls of an interval ahead (${VOLUME_HORIZONS.join(', ')})`,
    data: [{ ...source, queues: found.queues }],
    ...{ split: found.split, seed, epochs: found.history, test: found.test },
    limits: [
      'Distances are in units of each queue, so it forecasts a queue that it never saw; a model of the own months is better',
      '(docs/call-volume.md). Erlang C assumes that calls come at random and that nobody hangs up.',
    ].join(' '),
  };
}
