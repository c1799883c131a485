import { join } from 'node:path';
import { type CellKind, loadModel } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { type CallVolumeSettings, readStreamFile, SUMMARY_MODEL } from '@tideline/streams';
import {
  assertNoEncoders,
  readRecordFiles,
  type TrainedModel,
  type TrainerOptions,
  trainCallEnds,
  trainCalls,
  trainCallVolume,
  trainDeclared,
  trainOwnModel,
} from '@tideline/trainer';
import { parseMap } from '../field-map.ts';
import { type TextOptions, textReadingOf } from './text-reading.ts';

/** Options of `tideline train` that only a declared stream has. */
export interface DeclaredOptions extends TextOptions {
  readonly data?: readonly string[] | undefined;
  readonly map?: readonly string[] | undefined;
  readonly series?: string | undefined;
  readonly cell: CellKind;
  readonly hidden: number;
  readonly layers: number;
  readonly learningRate: number;
  readonly patience: number;
  /** Folder of the call model that `calls-summary` reads. */
  readonly callModel: string;
}

/** Trains the model of the stream that the file `path` declares on the records of `--data`. Throws ConfigError where there is none. */
export async function trainFromFile(
  path: string,
  options: DeclaredOptions,
  trainer: TrainerOptions,
): Promise<TrainedModel> {
  const { data: files = [], series: key, cell, hidden: hiddenSize, layers, learningRate, patience } = options;
  const declaration = readStreamFile(path);
  if (files.length === 0)
    throw new ConfigError([`'${path}' declares a stream: name the records to learn from, --data <file...>.`]);
  const map = parseMap(options.map ?? []);
  const { records, files: sources } = await readRecordFiles(files, {
    stream: path,
    map,
    ...(key === undefined ? {} : { key }),
  });
  return trainDeclared({
    ...trainer,
    ...{ declaration, records, learningRate, patience },
    source: { files: sources, ...(Object.keys(map).length === 0 ? {} : { map }) },
    network: { cell, hiddenSize, layers },
  });
}

/** Trains the model of calls on the labelled calls of `--data`; without any, on generated ones: the shipped model again, to the bit. */
export async function trainCallsFrom(options: DeclaredOptions, trainer: TrainerOptions): Promise<TrainedModel> {
  const { data = [], map = [] } = options;
  if (data.length === 0) {
    assertNoEncoders(options, 'the shipped model, which is trained without --data,');
    return trainCalls(trainer);
  }
  const read = await readRecordFiles(data, { stream: 'calls', map: parseMap(map) });
  return trainOwnModel(read, trainer, await textReadingOf(options));
}

/** Trains the model of call volumes on the records of `--data`; without any, on generated ones: the shipped model again, to the bit. */
export async function trainVolumes(
  stream: string,
  settings: CallVolumeSettings,
  { data = [], map: parts = [], series: key }: DeclaredOptions,
  trainer: TrainerOptions,
): Promise<TrainedModel> {
  if (data.length === 0) return trainCallVolume({ ...trainer, settings });
  const map = parseMap(parts);
  const { records, files } = await readRecordFiles(data, { stream, map, ...(key === undefined ? {} : { key }) });
  return trainCallVolume({
    ...trainer,
    settings,
    records,
    source: { files, ...(Object.keys(map).length === 0 ? {} : { map }) },
  });
}

/** Trains the model that reads calls that are over, on the calls of `--data`; without any, on generated ones: the shipped model again, to the bit. */
export async function trainSummaries(options: DeclaredOptions, trainer: TrainerOptions): Promise<TrainedModel> {
  const { data = [], map: parts = [], callModel: path, textEncoder } = options;
  assertNoEncoders({ textEncoder }, SUMMARY_MODEL);
  const { model: callModel } = await loadModel(join(path, 'model.tdl'));
  const { sentenceEncoder } = await textReadingOf(options);
  const call = { callModel, ...(sentenceEncoder === undefined ? {} : { sentenceEncoder }) };
  if (data.length === 0) return trainCallEnds({ ...trainer, ...call });
  const map = parseMap(parts);
  const { records, files } = await readRecordFiles(data, { stream: 'calls', map });
  return trainCallEnds({ ...trainer, ...call, own: { records, files } });
}
