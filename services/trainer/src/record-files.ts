import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type RecordFileOptions, readRecordFile } from '@tideline/adapters';
import { describeStream, type SourceRecord } from '@tideline/streams';

export interface RecordFiles {
  /** In the files' order. */
  readonly records: readonly SourceRecord[];
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
}

/** All records of files for the stream that the file `stream` declares, and what the files were. Throws Error with the path where one cannot be read. */
export async function readRecordFiles(
  paths: readonly string[],
  options: { readonly stream: string } & Pick<RecordFileOptions, 'map' | 'key'>,
): Promise<RecordFiles> {
  const { stream, ...rest } = options;
  const { name: topic, keyField, timeMsOf } = describeStream(stream);
  const records: SourceRecord[] = [];
  const files: { readonly file: string; readonly sha256: string }[] = [];
  for (const path of paths) {
    const rows = readRecordFile({ path, topic, keyField, ...rest, ...(timeMsOf === null ? {} : { timeMsOf }) });
    for await (const record of rows) records.push(record);
    files.push({ file: basename(path), sha256: await sha256Of(path) });
  }
  return { records, files };
}

/** SHA-256 of a file's bytes, hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
