/** Gives shards to the models that the configuration names: `changeModel`, shard by shard. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKPOINT_TOPIC, createKafkaCheckpointLog } from '@tideline/adapters';
import { modelOf } from '@tideline/forecaster';
import { loadModel } from '@tideline/nn';
import {
  changeModel,
  type ModelChangeResult,
  RetryableError,
  retryInPlace,
  StaleEpochError,
  shardName,
} from '@tideline/pipeline';
import { ConfigurationError, parseConfig, sleep } from '@tideline/runtime';
import { assertModelFits, createStream, STREAM_FIELDS, servedTopics, type TopicStream } from '@tideline/streams';
import { z } from 'zod';
import type { Environment } from '../addresses.ts';
import { MODELS_FOLDER, withAddresses } from '../addresses.ts';
import { openStateStore, shardsOf } from './state-store.ts';

export interface PromoteOptions {
  readonly topic?: string | undefined;
  readonly models?: string | undefined;
  readonly json?: true | undefined;
}

const RETRY_DELAY_MS_MAX = 1_000;
/** For one shard. */
const PATIENCE_MS = 60_000;

/** Throws ConfigurationError where nothing can be promoted, ModelError where a model does not fit its stream, RetryableError where a server stays silent. */
export async function promoteModels(
  environment: Environment,
  {
    name,
    options,
    signal,
  }: { readonly name: string | undefined; readonly options: PromoteOptions; readonly signal: AbortSignal },
): Promise<void> {
  const env = await withAddresses(environment);
  const folder = options.models ?? env.TIDELINE_MODELS ?? MODELS_FOLDER;
  const targets = await loadTargets(topicsToChange(env, name, options.topic), folder);
  const names = await namesOf(folder);
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',').map((broker) => broker.trim());
  await using store = await openStateStore(env, {});
  await using log = await createKafkaCheckpointLog({
    brokers,
    topic: env.TIDELINE_CHECKPOINT_TOPIC || CHECKPOINT_TOPIC,
  });
  const owner = `promote-${randomUUID().slice(0, 8)}`;
  for (const { topic, model, digest } of targets) {
    const shards = await shardsOf(store, topic);
    if (shards.length === 0)
      process.stderr.write(`No shard of topic '${topic}' is known yet: its first forecaster gives it its model.\n`);
    for (const { shard } of shards) {
      const change = { shard, store, log, owner, model: digest, wallMs: Date.now };
      const result = await withTries(() => changeModel(change), signal);
      const line = options.json
        ? JSON.stringify({ shard: shardName(shard), model, ...result })
        : `${shardName(shard)}: ${told(result, model, names)}`;
      process.stdout.write(`${line}\n`);
    }
  }
}

/** Throws ConfigurationError where it is not clear which topic is meant. */
function topicsToChange(env: Environment, name: string | undefined, topic: string | undefined): TopicStream[] {
  const served = servedTopics(parseConfig(z.object(STREAM_FIELDS), env));
  const known = served.map((entry) => entry.topic).join(', ');
  const chosen = served.filter((entry) => topic === undefined || entry.topic === topic);
  if (chosen.length === 0)
    throw new ConfigurationError([`TIDELINE_STREAMS does not name topic '${topic}' (it names ${known}).`]);
  if (name !== undefined && chosen.length > 1)
    throw new ConfigurationError([`Name the topic that is to have '${name}': --topic, one of ${known}.`]);
  return chosen.map((entry) => (name === undefined ? entry : { ...entry, model: name }));
}

async function loadTargets(entries: readonly TopicStream[], folder: string) {
  const targets: { readonly topic: string; readonly model: string; readonly digest: string }[] = [];
  for (const entry of entries) {
    const name = modelOf(entry);
    const { model } = await loadModel(join(folder, name, 'model.tdl'));
    assertModelFits(createStream(entry.stream, { modelName: name, model }), model.spec);
    targets.push({ topic: entry.topic, model: name, digest: model.digest });
  }
  return targets;
}

/** Names of the models in the folder by digest; one that cannot be read has none. */
async function namesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const loaded = await loadModel(join(folder, entry.name, 'model.tdl')).catch(() => null);
    if (loaded !== null) names.set(loaded.model.digest, entry.name);
  }
  return names;
}

function told(result: ModelChangeResult, name: string, names: ReadonlyMap<string, string>): string {
  if (result.status === 'unchanged') return `has ${name} already.`;
  if (result.status === 'unknown') return 'nothing was stepped yet: its first forecaster gives it its model.';
  const before = names.get(result.from) ?? `a model with digest ${result.from.slice(0, 12)}`;
  return `${name} from offset ${result.position} on, below it ${before}.`;
}

/** A slow server, or another writer of checkpoints that began meanwhile, is met with another try. */
function withTries(work: () => Promise<ModelChangeResult>, signal: AbortSignal): Promise<ModelChangeResult> {
  const attempt = (): Promise<ModelChangeResult> =>
    work().catch((error: unknown) => {
      throw error instanceof StaleEpochError ? new RetryableError(error.message, { cause: error }) : error;
    });
  return retryInPlace(attempt, {
    ...{ sleep, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]), delayMsMax: RETRY_DELAY_MS_MAX },
    onRetry: (times, error) => {
      if (times === 1) process.stderr.write(`Trying again: ${error.message}\n`);
    },
  });
}
