/** The processes of a simulated installation: the real ingest and the real Forecaster, wired to simulated ports as the services wire real ones. */
import { announceOutstanding, createIngest, Forecaster, RetryableError } from '@tideline/pipeline';
import type { Checker } from './checker.ts';
import type { Sabotage } from './sabotage.ts';
import { createSimCheckpoints } from './sim-checkpoints.ts';
import { createSimEngine, type SimEngine } from './sim-engine.ts';
import { createSimDeadLetterSink, createSimPointSink, type SimSink } from './sim-influx.ts';
import type { SimKafka } from './sim-kafka.ts';
import { SimProcess } from './sim-process.ts';
import type { SimRedis } from './sim-redis.ts';
import { createSimShardStore } from './sim-shard-store.ts';
import { SimSource } from './sim-source.ts';
import { SimTicketQueue } from './sim-ticket-queue.ts';
import type { ModelVersion, WorkloadStream } from './workload.ts';
import type { World } from './world.ts';

/** The settings that a seed draws. */
export interface Settings {
  readonly ingests: number;
  readonly forecasters: number;
  readonly concurrency: number;
  readonly chunkRowsMax: number;
  readonly batchEntriesMax: number;
  readonly sliceRecordsMax: number;
  readonly seriesMax: number;
  /** 0: a drained shard goes back to the queue at once. */
  readonly holdMs: number;
  readonly backlogsMax: number;
  /** Share of the words to holders that are lost. */
  readonly wordLoss: number;
  /** 0: no checkpoints are written, and nothing is restored. */
  readonly checkpointIntervalMs: number;
  /** States are few here: a slow pace makes a checkpoint take its time. */
  readonly checkpointBytesPerSecond: number;
}

/** Everything that the processes share. */
export interface Site {
  readonly world: World;
  readonly settings: Settings;
  readonly streams: ReadonlyMap<string, WorkloadStream>;
  readonly redis: SimRedis;
  readonly kafka: SimKafka;
  readonly influx: SimSink;
  readonly checker: Checker;
  readonly sabotage: Sabotage;
  readonly hasAsyncEngine: boolean;
}

/** A process with the way to end it in good order. */
export interface Node {
  readonly process: SimProcess;
  stop(): void;
  /** Says what it holds that it should not. */
  leak(): string | null;
}

const SWEEP_MS = 1_000;
const FULL_RETRY_MS = 50;

export function startIngest(site: Site, name: string): Node {
  const { world, redis, kafka, checker, settings } = site;
  const process = new SimProcess(world, { name, role: 'ingest' });
  const watch = checker;
  const stopping = new AbortController();
  const ported = createSimShardStore(process, redis, watch);
  const shards = site.sabotage.ingestStore?.(ported) ?? ported;
  const hasCheckpoints = settings.checkpointIntervalMs > 0;
  const parts = { process, store: shards, signal: stopping.signal };
  const checkpoints = hasCheckpoints ? createSimCheckpoints(site, parts) : null;
  const store = checkpoints?.store ?? shards;
  const queue = new SimTicketQueue(world, process, redis);
  const letters = createSimDeadLetterSink(process, kafka, watch);
  const source = new SimSource(world, process, kafka, site.sabotage.fetch);
  const handler = createIngest({
    store,
    queue,
    deadLetters: site.sabotage.letters?.(letters) ?? letters,
    streams: new Map([...site.streams].map(([topic, [{ stream }]]) => [topic, stream])),
    sleep: process.sleep,
    signal: stopping.signal,
    onEvent: (event) => world.note(`${name} ${event.type}`),
    chunkRowsMax: settings.chunkRowsMax,
    fullRetryMs: FULL_RETRY_MS,
    ...(checkpoints && !site.sabotage.hasNoCatchUp && { catchUp: checkpoints.catchUp }),
  });
  const live = async (): Promise<void> => {
    await source.run(handler);
    const written = checkpoints?.run();
    written?.catch((error: unknown) => process.die(`its checkpoints threw ${error}`));
    while (!stopping.signal.aborted) {
      try {
        if (!site.sabotage.hasNoSweep) {
          await announceOutstanding({ store, queue });
          for (const shard of await handler.fallenBehind()) source.reposition(shard);
        }
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
      }
      await process.sleep(SWEEP_MS, stopping.signal);
    }
    await source.drain();
    await written;
    process.die('stopped');
  };
  live().catch((error: unknown) => process.die(`threw ${error}`));
  return { process, stop: () => stopping.abort(), leak: () => null };
}

export function startForecaster(site: Site, name: string, version: ModelVersion): Node {
  const { world, redis, influx, checker, settings } = site;
  const process = new SimProcess(world, { name, role: 'forecaster' });
  const queue = new SimTicketQueue(world, process, redis);
  const store = createSimShardStore(process, redis, checker);
  const sink = createSimPointSink({ world, process, server: influx, watch: checker });
  const engines: SimEngine[] = [];
  const topics = new Map(
    [...site.streams].map(([topic, models]) => {
      const { stream, createEngine } = models[version];
      const made = createSimEngine(createEngine(), () => beforeStep(site, process));
      const engine = site.sabotage.engine?.(made) ?? made;
      engines.push(engine);
      return [topic, { stream, engine }];
    }),
  );
  const forecaster = new Forecaster({
    foreignModel: site.sabotage.adoptsForeign ? 'adopt' : 'leave',
    store: site.sabotage.store?.(store) ?? store,
    queue,
    sink: site.sabotage.sink?.(sink) ?? sink,
    live: null,
    topics,
    owner: name,
    sleep: process.sleep,
    onEvent: (event) => {
      world.note(`${name} ${event.type}`);
      if (event.type !== 'committed') return;
      checker.acknowledged(event.shard, event.position);
      checkMemory(site, forecaster, name);
    },
    batchEntriesMax: settings.batchEntriesMax,
    sliceRecordsMax: settings.sliceRecordsMax,
    seriesMax: settings.seriesMax,
    backlogsMax: settings.backlogsMax,
    ...(settings.holdMs > 0 && { hold: { idleMs: settings.holdMs, slots: settings.concurrency } }),
  });
  if (settings.holdMs > 0) hearOfAppends(site, process, forecaster);
  void queue.work((ticket, signal) => forecaster.handle(ticket, signal), { concurrency: settings.concurrency });
  return {
    process,
    stop() {
      forecaster.stop();
      void queue.drain().then(() => process.die('stopped'));
    },
    leak() {
      const used = engines.reduce((sum, engine) => sum + engine.used, 0);
      return used === forecaster.series ? null : `${name} uses ${used} slots for ${forecaster.series} series`;
    },
  };
}

/** Word comes late, or not at all. */
function hearOfAppends({ world, redis, settings }: Site, process: SimProcess, forecaster: Forecaster): void {
  redis.listen(process.name, (shard, head) => {
    if (world.chance.is(settings.wordLoss)) return;
    process.resume(world.chance.magnitude(0.1, 20), 'heard', () => forecaster.appended(shard, head));
  });
}

function beforeStep(site: Site, process: SimProcess): Promise<void> | undefined {
  const { world, hasAsyncEngine } = site;
  if (world.faults.strikes('engine-failure')) throw new Error('The engine failed.');
  if (!hasAsyncEngine) return undefined;
  return new Promise((resolve) => process.resume(world.chance.magnitude(0.05, 2), 'stepped', resolve));
}

/** Of each shard at most `seriesMax` series stay, or those of one batch where it has more. */
function checkMemory({ settings, kafka, checker }: Site, forecaster: Forecaster, name: string): void {
  const rowsMax = settings.batchEntriesMax * settings.chunkRowsMax;
  const seriesMax = Math.max(settings.seriesMax, rowsMax) * kafka.partitions.size;
  if (forecaster.series > seriesMax)
    checker.found('bound', `${name} holds ${forecaster.series} of ${seriesMax} series`);
}
