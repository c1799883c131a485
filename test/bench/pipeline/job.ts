/** The standard job's servers, model and environment, for every benchmark of the whole way. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@tideline/native';
import { saveModel } from '@tideline/nn';
import { ROOT, type RunningService, startService } from '../../e2e/services.ts';
import { standardModel } from './workload.ts';

export const TOPIC = 'ticks';
export const PARTITIONS = 4;
export const DATABASE = 'bench';
export const STREAM = join(ROOT, 'test', 'bench', 'peers', 'tideline', 'stream.yaml');

/** Servers that run, and what the services are to be told. */
export interface Job extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** Process of each server. */
  readonly pids: Readonly<Record<string, number>>;
}

/** Kafka, Redis and InfluxDB of its own on 127.0.0.1, in a folder that goes with them. */
export async function openJob(): Promise<Job> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
  const stack = await startStack({ folder });
  const { kafka = '', redis = '', influx = '' } = stack.addresses;
  const model = standardModel();
  const models = join(folder, 'models');
  await mkdir(join(models, model.spec.name), { recursive: true });
  await saveModel(join(models, model.spec.name, 'model.tdl'), model, {});
  return {
    env: {
      TIDELINE_KAFKA_BROKERS: kafka,
      TIDELINE_REDIS_URL: redis,
      TIDELINE_INFLUX_URL: influx,
      TIDELINE_INFLUX_DATABASE: DATABASE,
      TIDELINE_STREAMS: `${TOPIC}=${STREAM}`,
      TIDELINE_MODELS: models,
      TIDELINE_LOG_LEVEL: 'info',
    },
    pids: Object.fromEntries(stack.servers.map(({ name, pid }) => [name, pid])),
    async [Symbol.asyncDispose]() {
      await stack[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Services = Readonly<Record<'ingest' | 'forecaster', RunningService>>;

/** One of each. `profile`: folder for a processor profile of each in a folder of its name; null: none. */
export async function startServices(
  env: Readonly<Record<string, string>>,
  profile: string | null = null,
): Promise<Services> {
  const flags = (name: string) => (profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`]);
  const forecaster = await startService('forecaster', env, flags('forecaster'));
  return { forecaster, ingest: await startService('ingest', env, flags('ingest')) };
}
