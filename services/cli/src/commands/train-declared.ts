import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readRecordFile } from '@tideline/adapters';
import type { CellKind } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { readStreamFile, type SourceRecord } from '@tideline/streams';
import { type TrainedModel, type TrainerOptions, trainDeclared } from '@tideline/trainer';
import { parseMap, recordsOf } from '../field-map.ts';

/** Options of `tideline train` that only a declared stream has. */
export interface DeclaredOptions {
  readonly data?: readonly string[] | undefined;
  readonly map?: readonly string[] | undefined;
  readonly cell: CellKind;
  readonly hidden: number;
  readonly layers: number;
  readonly learningRate: number;
  readonly patience: number;
}

/** Trains the model of the stream that the file `path` declares on the records of `--data`. Throws ConfigError where there is none. */
export async function trainFromFile(
  path: string,
  options: DeclaredOptions,
  trainer: TrainerOptions,
): Promise<TrainedModel> {
  const { data: files = [], cell, hidden: hiddenSize, layers, learningRate, patience } = options;
  const declaration = readStreamFile(path);
  if (files.length === 0)
    throw new ConfigError([`'${path}' declares a stream: name the records to learn from, --data <file...>.`]);
  const { name } = declaration;
  const map = parseMap(options.map ?? []);
  const records: SourceRecord[] = [];
  const sources: { readonly file: string; readonly sha256: string }[] = [];
  for (const file of files) {
    const rows = readRecordFile({ path: file, topic: name, map, ...recordsOf(path) });
    for await (const record of rows) records.push(record);
    sources.push({ file: basename(file), sha256: await sha256(file) });
  }
  return trainDeclared({
    ...trainer,
    ...{ declaration, records, learningRate, patience },
    source: { files: sources, ...(Object.keys(map).length === 0 ? {} : { map }) },
    network: { cell, hiddenSize, layers },
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
