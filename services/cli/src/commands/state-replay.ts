import { createInfluxSink, followPartition, topicRanges } from '@tideline/adapters';
import { loadTopics } from '@tideline/forecaster';
import { ENGINE_KINDS, type EngineKind } from '@tideline/nn';
import {
  type Lines,
  REBUILD_SLOTS,
  type RebuildReport,
  RetryableError,
  retryInPlace,
  SeriesRebuild,
  type Shard,
  shardName,
} from '@tideline/pipeline';
import { ConfigurationError, parseConfig, ResourceStack, sleep } from '@tideline/runtime';
import { STREAM_FIELDS, servedTopics } from '@tideline/streams';
import { z } from 'zod';
import { type Environment, MODELS_FOLDER } from '../addresses.ts';

export interface ReplayOptions {
  readonly env: Environment;
  readonly shard: Shard;
  readonly key: string;
  /** Digest of the model that the shard's states are of; '': unknown. */
  readonly model: string;
  readonly options: { readonly points: boolean; readonly onPoison: 'skip' | 'refuse' };
  readonly signal: AbortSignal;
}

/** A series that is rebuilt while its partition is followed. */
export interface Replay extends AsyncDisposable {
  /** The state at a position of the shard, not below one asked for before. Throws PoisonRecordError, RetryableError, ConfigError. */
  stateAt(position: number): Promise<Uint8Array | null>;
  report(): RebuildReport & { readonly fromOffset: number };
}

/** Nothing new for so long is the end of patience. */
const STALL_MS_MAX = 30_000;
const POLL_MS = 20;
const RETRY_DELAY_MS_MAX = 5_000;

export async function openReplay(replay: ReplayOptions): Promise<Replay> {
  const stack = new ResourceStack();
  try {
    return await open(replay, stack);
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function open(replay: ReplayOptions, stack: ResourceStack): Promise<Replay> {
  const { env, shard, signal } = replay;
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',').map((broker) => broker.trim());
  const ranges = (await topicRanges({ brokers, topics: [shard.topic] })).get(shard.topic) ?? [];
  const fromOffset = ranges.find(({ partition }) => partition === shard.partition)?.low ?? 0;
  const rebuild = await openRebuild(replay, stack);
  let [limit, readUpTo] = [0, 0];
  let failure: Error | null = null;
  // Records and the asking for a state take turns at the rebuild.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  stack.use(
    await followPartition({
      brokers,
      shard,
      onRecords: (records, next) =>
        inTurn(async () => {
          for (const record of records) rebuild.add(record);
          await rebuild.advance(Math.min(limit, next));
          readUpTo = next;
        }),
      onError: (error) => {
        failure ??= error;
      },
    }),
  );
  const reached = async (position: number): Promise<void> => {
    let [seen, since] = [readUpTo, performance.now()];
    while (readUpTo < position) {
      signal.throwIfAborted();
      if (failure !== null) throw failure;
      if (readUpTo > seen) [seen, since] = [readUpTo, performance.now()];
      if (performance.now() - since > STALL_MS_MAX)
        throw new RetryableError(
          `Topic '${shard.topic}' was read up to offset ${readUpTo}, but the shard stands at ${position}.`,
        );
      await sleep(POLL_MS, signal);
    }
  };
  return {
    async stateAt(position) {
      if (position < limit) throw new RetryableError('The store went back meanwhile: run the command again.');
      limit = position;
      await reached(position);
      await inTurn(() => rebuild.advance(position));
      return rebuild.state;
    },
    report: () => ({ ...rebuild.report, fromOffset }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** The rebuild with the stream, the model and the sink that the services' environment names. */
async function openRebuild(replay: ReplayOptions, stack: ResourceStack): Promise<SeriesRebuild> {
  const { env, shard, key, options, signal } = replay;
  const streams = servedTopics(parseConfig(z.object(STREAM_FIELDS), env)).filter(({ topic }) => topic === shard.topic);
  if (streams.length === 0)
    throw new ConfigurationError([`TIDELINE_STREAMS does not say which stream reads topic '${shard.topic}'.`]);
  const kind = env.TIDELINE_ENGINE || 'auto';
  if (!isEngineKind(kind))
    throw new ConfigurationError([`TIDELINE_ENGINE = '${kind}': use one of ${ENGINE_KINDS.join(', ')}.`]);
  const topics = await loadTopics({
    ...{ streams, engine: kind, slotsMax: REBUILD_SLOTS, modelsFolder: env.TIDELINE_MODELS ?? MODELS_FOLDER },
    onEngine: ({ engine }) => void process.stderr.write(`Rebuilding with ${engine.modelName} on ${engine.name}.\n`),
  });
  stack.defer(async () => {
    for (const { engine } of topics.values()) engine.dispose();
  });
  const served = topics.get(shard.topic);
  if (!served) throw new ConfigurationError([`No model serves topic '${shard.topic}'.`]);
  if (replay.model !== '' && replay.model !== served.engine.modelDigest)
    throw new ConfigurationError([
      `Shard ${shardName(shard)} has another model than '${served.engine.modelName}': name its own with TIDELINE_MODEL.`,
    ]);
  const sink = options.points ? stack.use(await createInfluxSink(influxOptions(env))) : null;
  const onRetry = (attempt: number, error: Error): void =>
    void process.stderr.write(`Attempt ${attempt}: ${error.message}\n`);
  const write = async (lines: Lines): Promise<void> => {
    if (sink === null) return;
    await retryInPlace(() => sink.write(lines), { sleep, signal, delayMsMax: RETRY_DELAY_MS_MAX, onRetry });
  };
  return new SeriesRebuild({ ...served, shard, key, onPoison: options.onPoison, write });
}

function isEngineKind(kind: string): kind is EngineKind {
  return (ENGINE_KINDS as readonly string[]).includes(kind);
}

function influxOptions(env: Environment): Parameters<typeof createInfluxSink>[0] {
  const { TIDELINE_INFLUX_URL: url = '', TIDELINE_INFLUX_DATABASE: database = 'tideline' } = env;
  const { TIDELINE_INFLUX_USERNAME: username, TIDELINE_INFLUX_PASSWORD: password } = env;
  return username && password ? { url, database, username, password } : { url, database };
}
