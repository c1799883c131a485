import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ensureInstalled,
  freePort,
  type RunningServer,
  readUpState,
  runningProcesses,
  startServerProcess,
  startStack,
  stopUp,
  writeUpState,
} from '@tideline/native';
import { ConfigurationError, NODE_FLAGS, type ServiceSignals, sleep } from '@tideline/runtime';
import type { Environment } from '../addresses.ts';

export interface UpOptions {
  readonly detach?: true | undefined;
  readonly folder: string;
  readonly kafkaPort: number;
  readonly redisPort: number;
  readonly influxPort: number;
  readonly gatewayPort: number;
}

const READY_DEADLINE_MS = 60_000;
const WATCH_MS = 500;
const EXECUTABLE = fileURLToPath(new URL('../../../../bin/tideline.js', import.meta.url));

/** `tideline up`: starts all, waits until told to stop unless detached. */
export async function up(environment: Environment, options: UpOptions, signals: ServiceSignals): Promise<void> {
  const note = (message: string): void => void process.stderr.write(`${message}\n`);
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });
  const known = await readUpState(folder);
  const running = known ? await runningProcesses(known) : [];
  if (running.length > 0)
    throw new ConfigurationError([
      `${running.map(({ name }) => name).join(', ')} of ${folder} still run: use them, or 'tideline down' first.`,
    ]);
  await ensureInstalled({ onProgress: note });
  const detached = options.detach === true;
  const started: RunningServer[] = [];
  const stopAll = async (): Promise<void> => {
    for (const server of [...started].reverse()) await server.stop();
  };
  try {
    note('Starting Kafka, Redis and InfluxDB ...');
    const ports = { kafka: options.kafkaPort, redis: options.redisPort, influx: options.influxPort };
    const stack = await startStack({ folder: join(folder, 'servers'), ports, detached });
    started.push(...stack.servers);
    const env = {
      TIDELINE_KAFKA_BROKERS: stack.addresses.kafka ?? '',
      // There is one ingest here: its successor need not wait for its session to time out.
      TIDELINE_INGEST_SHARE: environment.TIDELINE_INGEST_SHARE ?? '1/1',
      TIDELINE_REDIS_URL: stack.addresses.redis ?? '',
      TIDELINE_INFLUX_URL: stack.addresses.influx ?? '',
    };
    for (const name of ['ingest', 'forecaster']) {
      note(`Starting ${name} ...`);
      const port = await freePort();
      started.push(
        await startService({
          name,
          folder,
          port,
          detached,
          env: { ...environment, ...env, TIDELINE_HEALTH_PORT: String(port) },
          path: '/ready',
        }),
      );
    }
    note('Starting gateway ...');
    const port = options.gatewayPort;
    started.push(
      await startService({
        name: 'gateway',
        folder,
        port,
        detached,
        env: { ...environment, ...env, TIDELINE_GATEWAY_PORT: String(port) },
        path: '/healthz',
      }),
    );
    await writeUpState(
      folder,
      started.map(({ name, pid, identity, address, logFile }) => ({ name, pid, identity, address, logFile })),
    );
  } catch (error) {
    await stopAll();
    throw error;
  }
  for (const { name, address } of started) process.stdout.write(`${name.padEnd(11)} ${address}\n`);
  process.stdout.write(`Dashboard: ${started[started.length - 1].address}\n`);
  if (detached) return;
  note('Everything runs. Stop it with Ctrl-C.');
  while (!signals.drain.aborted) await sleep(WATCH_MS, signals.drain);
  await stopUp(folder);
}

/** `tideline down`. */
export async function down(folder: string): Promise<void> {
  const result = await stopUp(folder);
  if (result === null) process.stdout.write(`Nothing was started from ${folder}.\n`);
  else
    process.stdout.write(
      `Stopped ${result.stopped.join(', ') || 'nothing'}.${result.gone.length > 0 ? ` Gone before: ${result.gone.join(', ')}.` : ''}\n`,
    );
}

async function startService(service: {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  readonly detached: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly path: string;
}): Promise<RunningServer> {
  const { name, folder, port, detached, path } = service;
  const address = `http://127.0.0.1:${port}`;
  const env = Object.fromEntries(
    Object.entries(service.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return startServerProcess({
    ...{ name, address, port, detached, env },
    command: process.execPath,
    args: [...NODE_FLAGS, EXECUTABLE, name],
    logFile: join(folder, `${name}.log`),
    readyDeadlineMs: READY_DEADLINE_MS,
    probe: async () => {
      const response = await fetch(`${address}${path}`);
      if (!response.ok) throw new Error(`${path} answers ${response.status}`);
    },
  });
}
