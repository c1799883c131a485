/**
 * Shards as a file of JSON lines (`.gz`: compressed): a line that says what it is, then for each shard its mark, a line a series, and the count of them.
 * The count makes a cut-off file known as one.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Shard, ShardImage, ShardMark } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import { z } from 'zod';

const HEADER = { tideline: 'states', version: 1 } as const;

const LINE = z.union([
  z.strictObject({ tideline: z.literal('states'), version: z.literal(1) }),
  z.strictObject({
    topic: z.string().min(1),
    partition: z.number().int().min(0),
    position: z.number().int().min(0),
    epoch: z.number().int().min(0),
    model: z.string(),
  }),
  z.strictObject({ key: z.string(), state: z.base64() }),
  z.strictObject({ series: z.number().int().min(0) }),
]);

/** Writes the shards, one after the other; the file is there whole or not at all. Resolves with the count of series. */
export async function writeStateFile(file: string, shards: AsyncIterable<ShardImage>): Promise<number> {
  const draft = `${file}.${process.pid}.part`;
  let total = 0;
  async function* lines(): AsyncGenerator<string> {
    yield `${JSON.stringify(HEADER)}\n`;
    for await (const { shard, position, epoch, model, states } of shards) {
      yield `${JSON.stringify({ ...shard, position, epoch, model })}\n`;
      let series = 0;
      for await (const { key, bytes } of states) {
        series += 1;
        yield `${JSON.stringify({ key, state: Buffer.from(bytes).toString('base64') })}\n`;
      }
      yield `${JSON.stringify({ series })}\n`;
      total += series;
    }
  }
  try {
    const source = Readable.from(lines());
    // States are nobody else's business.
    const target = createWriteStream(draft, { mode: 0o600, flush: true });
    await (file.endsWith('.gz') ? pipeline(source, createGzip(), target) : pipeline(source, target));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return total;
}

export interface StateFileShard extends ShardMark {
  readonly series: number;
}

/** Reads all of the file: its shards, without their states. Throws ConfigurationError where it is none, or cut off. */
export async function checkStateFile(file: string): Promise<StateFileShard[]> {
  const shards: StateFileShard[] = [];
  let open: ShardMark | null = null;
  let count = 0;
  let number = 0;
  const fail = (what: string): never => {
    throw new ConfigurationError([`'${file}' is no whole file of states: ${what} (line ${number}). Export it again.`]);
  };
  for await (const text of linesOf(file)) {
    number += 1;
    const line = parse(text) ?? fail('the line is not understood');
    if ('tideline' in line !== (number === 1)) fail('it does not start as one');
    if ('key' in line) {
      if (open === null) fail('a state belongs to no shard');
      count += 1;
    } else if ('series' in line) {
      if (open === null || count !== line.series) fail(`${count} of ${line.series} series are there`);
      else shards.push({ ...open, series: count });
      open = null;
    } else if ('topic' in line) {
      if (open !== null) fail('a shard has no end');
      const { topic, partition, position, epoch, model } = line;
      open = { shard: { topic, partition }, position, epoch, model };
      count = 0;
    }
  }
  if (number === 0 || open !== null) fail('it ends early');
  return shards;
}

/** States of one shard of a file that was checked. */
export async function* statesOfFile(
  file: string,
  shard: Shard,
): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
  let isIn = false;
  for await (const text of linesOf(file)) {
    const line = parse(text);
    if (line === null) continue;
    if ('topic' in line) isIn = line.topic === shard.topic && line.partition === shard.partition;
    else if ('series' in line && isIn) return;
    else if ('key' in line && isIn) yield { key: line.key, bytes: Buffer.from(line.state, 'base64') };
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => input.destroy(error));
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError([`'${file}' cannot be read: ${reason}.`]);
  } finally {
    source.destroy();
  }
}

function parse(text: string): z.infer<typeof LINE> | null {
  try {
    return LINE.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
