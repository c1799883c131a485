/**
 * One seed, from the first record to the last check.
 *
 * Step 1. The seed draws a workload, settings and faults, and the oracle says what must come of it.
 * Step 2. The world runs with faults; who dies is started again.
 * Step 3. Faults end: servers answer, the paused wake. Within DRAIN_MS of virtual time everything must be stepped.
 * Step 4. A while longer, so that whatever is late arrives; then everything is compared.
 */
import { Chance } from './chance.ts';
import { Checker, type Violation } from './checker.ts';
import { ExpectedLines } from './expected-lines.ts';
import { startFaults } from './fault-drivers.ts';
import { type FaultKind, FaultPlan } from './fault-plan.ts';
import { type Node, type Settings, type Site, startForecaster, startIngest } from './nodes.ts';
import { Rollout } from './rollout.ts';
import type { Sabotage } from './sabotage.ts';
import { Scheduler } from './scheduler.ts';
import { SimSink } from './sim-influx.ts';
import { SimKafka } from './sim-kafka.ts';
import { SimRedis } from './sim-redis.ts';
import { TraceDigest } from './trace-digest.ts';
import { drawWorkload } from './workload.ts';
import { World } from './world.ts';

const EVENTS_MAX = 300_000;
const DRAIN_MS = 120_000;
const AFTERMATH_MS = 6_000;

export interface SimulationOptions {
  readonly seed: number;
  /** Kinds of faults; default: the seed draws them. */
  readonly faults?: readonly FaultKind[];
  /** Ends the process whose await is the n-th to end (from 1). */
  readonly crashAtAwait?: number;
  readonly sabotage?: Sabotage;
  /** Instead of what the seed draws. */
  readonly settings?: Partial<Settings>;
  /** Newest lines of the trace to keep. */
  readonly traceLinesMax?: number;
}

export interface SimulationReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Digest over every event: equal in two runs of a seed. */
  readonly trace: string;
  readonly traceLines: readonly string[];
  /** SHA-256 over all points, found and as the straight run makes them. */
  readonly digests: { readonly found: string; readonly expected: string };
  readonly records: number;
  /** Points of the straight run. */
  readonly points: number;
  readonly special: Readonly<Record<string, number>>;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly events: number;
  readonly awaits: number;
  readonly virtualMs: number;
  /** Virtual time from the end of the faults until everything was stepped. */
  readonly drainMs: number;
}

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  // Step 1.
  const chance = new Chance(options.seed);
  const workload = drawWorkload(chance);
  const settings = { ...drawSettings(chance), ...options.settings };
  const bounds = { logBytesMax: Math.round(chance.magnitude(300, 20_000)), logRecordsMax: chance.whole(5, 500) };
  const hasAsyncEngine = chance.is(0.3);
  const faults = new FaultPlan(chance, options.faults ?? 'drawn');
  const faultsEndMs = workload.untilMs + chance.magnitude(100, 8_000);
  const scheduler = new Scheduler({ eventsMax: EVENTS_MAX }, new TraceDigest(options.traceLinesMax));
  const world = new World({ chance, faults, scheduler, crashAtAwait: options.crashAtAwait ?? null });
  const { expected, expectChanged, streams } = workload;
  const checker = new Checker({ lines: new ExpectedLines(expected, expectChanged), logBytesMax: bounds.logBytesMax });
  const { sabotage = {} } = options;
  const redis = new SimRedis(world, {
    ...(sabotage.hasNoLogBound ? { logBytesMax: 1e9, logRecordsMax: 1e9 } : bounds),
    sabotage: sabotage.server,
  });
  checker.attach(redis);
  const site: Site = {
    ...{ world, settings, redis, checker, hasAsyncEngine, sabotage },
    kafka: new SimKafka(world, workload.partitions, {
      partitions: chance.whole(1, 3),
      hasFence: !sabotage.hasNoCheckpointFence,
    }),
    influx: new SimSink(world, 'influx'),
    streams,
  };
  // Step 2.
  const rolloutAtMs = settings.checkpointIntervalMs > 0 && chance.is(0.6) ? chance.number() * 1_000 : null;
  const newest = new Map<string, Node>();
  const nodes = (): readonly Node[] => [...newest.values()];
  const rollout = new Rollout(site, rolloutAtMs, nodes);
  startNodes(site, rollout, newest);
  startFaults(site, (role) => nodes().filter(({ process }) => process.role === role && !process.isDead));
  await scheduler.run({ untilMs: faultsEndMs, isDone: () => false });
  // Step 3.
  endFaults(site, nodes());
  const drainFromMs = scheduler.nowMs;
  const drained = await drain(site, rollout, drainFromMs + DRAIN_MS);
  const drainMs = scheduler.nowMs - drainFromMs;
  if (drained !== 'done') checker.found('liveness', `not drained ${DRAIN_MS} ms after the last fault: ${drained}`);
  // Step 4.
  await scheduler.run({ untilMs: scheduler.nowMs + AFTERMATH_MS, isDone: () => false });
  if (drained === 'done') await checker.atEnd(redis.state);
  for (const node of nodes()) {
    const leak = node.process.isDead ? null : node.leak();
    if (leak !== null) checker.found('bound', leak);
  }
  return {
    ...{ seed: options.seed, violations: checker.violations, trace: scheduler.trace.hex, records: workload.records },
    ...{ points: expected.points.size },
    ...{
      digests: checker.digests(),
      traceLines: scheduler.trace.lines(),
      special: { ...workload.special, ...checker.counts },
      faults: faults.counts,
      drainMs,
    },
    ...{ events: scheduler.events, awaits: world.awaits, virtualMs: scheduler.nowMs },
  };
}

function drawSettings(chance: Chance): Settings {
  return {
    ingests: chance.whole(1, 2),
    forecasters: chance.whole(1, 3),
    concurrency: chance.whole(1, 3),
    chunkRowsMax: chance.whole(1, 20),
    batchEntriesMax: chance.whole(1, 5),
    sliceRecordsMax: Math.round(chance.magnitude(1, 200)),
    seriesMax: Math.round(chance.magnitude(1, 12)),
    checkpointIntervalMs: chance.is(0.6) ? Math.round(chance.magnitude(100, 2_000)) : 0,
    checkpointBytesPerSecond: chance.magnitude(100, 20_000),
    holdMs: chance.is(0.6) ? Math.round(chance.magnitude(5, 3_000)) : 0,
    backlogsMax: chance.whole(0, 3),
    wordLoss: chance.is(0.5) ? chance.number() : 0,
  };
}

/** Starts all processes, and each again when it dies; `newest` holds the newest of each. */
function startNodes(site: Site, rollout: Rollout, newest: Map<string, Node>): void {
  const { world, settings } = site;
  const start = (role: 'ingest' | 'forecaster', place: number, life: number): void => {
    const at = `${role}-${place}`;
    const name = `${at}.${life}`;
    const node = role === 'ingest' ? startIngest(site, name) : startForecaster(site, name, rollout.versionOf(at));
    newest.set(at, node);
    node.process.onDeath(() => {
      world.scheduler.after(world.chance.magnitude(50, 4_000), `${name} starts again`, () =>
        start(role, place, life + 1),
      );
    });
  };
  for (let place = 0; place < settings.ingests; place += 1) start('ingest', place, 1);
  for (let place = 0; place < settings.forecasters; place += 1) start('forecaster', place, 1);
}

function endFaults({ world, redis, kafka, influx }: Site, nodes: readonly Node[]): void {
  world.note('faults are over');
  world.faults.end();
  world.setPace(1);
  for (const server of [redis, kafka, influx]) server.start();
  for (const { process } of nodes) process.wake();
}

/** Runs until everything is stepped; looks after each 20 events. */
async function drain({ world, checker, redis }: Site, rollout: Rollout, untilMs: number): Promise<string> {
  for (;;) {
    if (await checker.isDrained(redis.state, rollout.hasBegun)) return 'done';
    const from = world.scheduler.events;
    const end = await world.scheduler.run({ untilMs, isDone: () => world.scheduler.events >= from + 20 });
    if (end !== 'done') return end;
  }
}
