/** States to a file and back, and from the newest checkpoints into a store that lost them. */
import { CHECKPOINT_TOPIC, createKafkaCheckpointLog, topicRanges } from '@tideline/adapters';
import { type Shard, type ShardImage, shardName, statesOf } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import { TOPIC_STREAMS } from '@tideline/streams';
import { type Environment, withAddresses } from '../addresses.ts';
import { checkStateFile, statesOfFile, writeStateFile } from '../state-file.ts';
import { openStateStore, type StatePlace, type StateStore, shardsOf } from './state-store.ts';

export interface TransferOptions extends StatePlace {
  readonly topic?: string | undefined;
  readonly force?: true | undefined;
  readonly json?: true | undefined;
}

/** Each shard as it is at one moment, while the pipeline goes on. */
export async function exportStates(env: Environment, file: string, options: TransferOptions): Promise<void> {
  await using store = await openStateStore(env, options);
  const shards = await shardsOf(store, options.topic);
  if (shards.length === 0) throw new ConfigurationError(['The store knows no such shard: there is nothing to export.']);
  const names: string[] = [];
  async function* images(): AsyncGenerator<ShardImage> {
    for (const { shard } of shards) {
      await using captured = await store.capture(shard);
      if (captured === null || captured.position < 0) continue;
      names.push(`${shardName(shard)} at ${captured.position}`);
      yield captured;
    }
  }
  const series = await writeStateFile(file, images());
  if (options.json) process.stdout.write(`${JSON.stringify({ file, shards: names.length, series })}\n`);
  else process.stdout.write(`${series} series of ${names.length} shard(s) to ${file}: ${names.join(', ')}.\n`);
}

/** Throws ConfigurationError, having changed nothing, where the file is not whole or a shard is there already and not `force`. */
export async function importStates(env: Environment, file: string, options: TransferOptions): Promise<void> {
  const images = (await checkStateFile(file))
    .filter(({ shard }) => options.topic === undefined || shard.topic === options.topic)
    .map((mark) => ({ ...mark, states: statesOfFile(file, mark.shard) }));
  await using store = await openStateStore(env, options);
  await install(store, images, options, performance.now());
}

/** From the newest complete checkpoints into the store. Throws as `importStates`. */
export async function restoreStates(environment: Environment, options: TransferOptions): Promise<void> {
  const started = performance.now();
  const env = await withAddresses(environment);
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',').map((broker) => broker.trim());
  const streams = TOPIC_STREAMS.parse(env.TIDELINE_STREAMS ?? 'ticks,calls').map(({ topic }) => topic);
  const topics = options.topic === undefined ? streams : [options.topic];
  const ranges = await topicRanges({ brokers, topics });
  const ends = [...ranges].flatMap(([topic, partitions]) =>
    partitions.map(({ partition, high }) => ({ shard: { topic, partition } satisfies Shard, high })),
  );
  const topic = env.TIDELINE_CHECKPOINT_TOPIC || CHECKPOINT_TOPIC;
  await using log = await createKafkaCheckpointLog({ brokers, topic });
  const shards = ends.map(({ shard }) => shard);
  const found = await log.read(shards, { takeOver: true, settled: true });
  const images = ends.flatMap(({ shard, high }) => {
    const checkpoint = found.get(shardName(shard));
    if (checkpoint === undefined) return [];
    const { marker, states } = checkpoint;
    if (marker.position > high)
      throw new ConfigurationError([
        `The checkpoint of ${shardName(shard)} stands at ${marker.position}, but the topic ends at ${high}: it was made anew.`,
      ]);
    return [{ ...marker, series: states.size, states: statesOf(states) }];
  });
  if (images.length === 0)
    throw new ConfigurationError([`Topic '${topic}' holds no checkpoint of ${topics.join(', ')}.`]);
  await using store = await openStateStore(env, options);
  await install(store, images, options, started);
}

async function install(
  store: StateStore,
  images: readonly (ShardImage & { readonly series: number })[],
  options: TransferOptions,
  started: number,
): Promise<void> {
  const known = new Set((await store.status()).filter(({ head }) => head >= 0).map(({ shard }) => shardName(shard)));
  const there = images.filter(({ shard }) => known.has(shardName(shard)));
  if (there.length > 0 && !options.force)
    throw new ConfigurationError(
      there.map(
        ({ shard }) =>
          `Shard ${shardName(shard)} is there already: '--force' replaces it, its newer records are stepped again.`,
      ),
    );
  for (const image of images)
    if (!(await store.install(image, { force: options.force === true })))
      throw new ConfigurationError([
        `Shard ${shardName(image.shard)} came to be meanwhile: nothing of it was changed.`,
      ]);
  const series = images.reduce((sum, image) => sum + image.series, 0);
  const seconds = Math.round(performance.now() - started) / 1_000;
  const shards = images.map(({ shard, position }) => ({ shard: shardName(shard), position }));
  if (options.json) process.stdout.write(`${JSON.stringify({ series, seconds, shards })}\n`);
  else
    process.stdout.write(
      `${series} series of ${images.length} shard(s) in ${seconds} s: ${shards.map(({ shard, position }) => `${shard} at ${position}`).join(', ')}.\n`,
    );
}
