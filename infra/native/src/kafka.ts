/** Apache Kafka, one node in KRaft mode (broker and controller in one process), from the jars that `installKafka` put in place. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assertPortFree, freePort } from './free-port.ts';
import { findJava, kafkaLibsFolder } from './kafka-jars.ts';
import { probeKafka } from './probe.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

export interface KafkaOptions {
  /** Data, configuration and log live here; a second start with the same folder continues with its data. */
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly detached?: boolean;
  /** Port that clients are told to use, where another way leads to the broker (a proxy). Default: the broker's own. */
  readonly advertisedPort?: number;
  readonly heapMb?: number;
  /** Where the jars are; default `.cache/kafka` of the repository. */
  readonly cacheFolder?: string;
}

const HEAP_MB = 512;
const READY_DEADLINE_MS = 60_000;
const LOG_CONFIG = fileURLToPath(new URL('../kafka/log4j2.properties', import.meta.url));
const run = promisify(execFile);

/** Starts Kafka on 127.0.0.1. Topics are made on purpose only (`auto.create.topics.enable=false`). */
export async function startKafka(options: KafkaOptions): Promise<RunningServer> {
  const folder = resolve(options.folder);
  const java = await findJava();
  const classpath = join(kafkaLibsFolder(options.cacheFolder), '*');
  await mkdir(folder, { recursive: true });
  if (options.port !== undefined) await assertPortFree(options.port, 'Kafka');
  const port = options.port ?? (await freePort());
  const configFile = join(folder, 'server.properties');
  await writeFile(
    configFile,
    serverProperties({
      folder,
      port,
      advertisedPort: options.advertisedPort ?? port,
      controllerPort: await freePort(),
    }),
    { mode: 0o600 },
  );
  await formatOnce({ java, classpath, folder, configFile });
  const heap = `${options.heapMb ?? HEAP_MB}m`;
  return startServerProcess({
    name: 'kafka',
    address: `127.0.0.1:${port}`,
    port,
    command: java,
    args: [
      `-Xmx${heap}`,
      `-Xms${heap}`,
      '-XX:+UseG1GC',
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${LOG_CONFIG}`,
      '-cp',
      classpath,
      'kafka.Kafka',
      configFile,
    ],
    logFile: join(folder, 'kafka.log'),
    detached: options.detached ?? false,
    probe: () => probeKafka(port),
    readyDeadlineMs: READY_DEADLINE_MS,
  });
}

interface FormatOptions {
  readonly java: string;
  readonly classpath: string;
  readonly folder: string;
  readonly configFile: string;
}

/** KRaft refuses a folder without a cluster id. A format that was cut off leaves no meta.properties and is done again. */
async function formatOnce(options: FormatOptions): Promise<void> {
  const dataFolder = join(options.folder, 'data');
  if (existsSync(join(dataFolder, 'meta.properties'))) return;
  await rm(dataFolder, { recursive: true, force: true });
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', options.configFile];
  // Serial GC and the first compiler only: this process lives half a second.
  const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${LOG_CONFIG}`];
  await run(options.java, [...jvm, '-cp', options.classpath, ...format]);
}

function serverProperties(at: {
  readonly folder: string;
  readonly port: number;
  readonly advertisedPort: number;
  readonly controllerPort: number;
}): string {
  return `${[
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${at.controllerPort}`,
    `listeners=BROKER://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}`,
    `advertised.listeners=BROKER://127.0.0.1:${at.advertisedPort}`,
    'listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name=BROKER',
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(at.folder, 'data')}`,
    'auto.create.topics.enable=false',
    'num.partitions=4',
    'offsets.topic.num.partitions=4',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    // One member joins at a time here; the default of 3 s only delays the first batch.
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    // Event times may be years old: retention by record time would delete a replayed history at once.
    'log.retention.ms=-1',
    'log.message.timestamp.before.max.ms=9223372036854775807',
    'log.cleaner.dedupe.buffer.size=16777216',
    // Its default of 15 s between two looks for what can be compacted is for large logs.
    'log.cleaner.backoff.ms=1000',
    'num.network.threads=2',
    'num.io.threads=4',
  ].join('\n')}\n`;
}
