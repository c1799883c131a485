/** A processor profile's time by hop: each sample belongs to the innermost function on its stack that a hop knows. */

/** What `node --cpu-prof` writes (the inspector protocol's Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** A hop, and how a function is known as its. `name` is `FUNCTION FILE`. */
export interface Hop {
  readonly hop: string;
  readonly pattern: RegExp;
}

export const REST = 'rest (sockets, timers, promises)';
const GARBAGE = 'garbage collection';
const IDLE = '(idle)';

/** Microseconds of each hop; idle time is left out. Where several hops know a function the first one has it. */
export function timeByHop(profile: CpuProfile, hops: readonly Hop[]): Map<string, number> {
  const parents = new Map<number, number>();
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id);
  const own = new Map(profile.nodes.map(({ id, callFrame }) => [id, ownHop(callFrame, hops)]));
  const resolved = new Map<number, string>();
  const hopOf = (id: number): string => {
    const known = resolved.get(id);
    if (known !== undefined) return known;
    const parent = parents.get(id);
    const hop = own.get(id) ?? (parent === undefined ? REST : hopOf(parent));
    resolved.set(id, hop);
    return hop;
  };
  const times = new Map<string, number>();
  profile.samples.forEach((id, i) => {
    const hop = hopOf(id);
    if (hop !== IDLE) times.set(hop, (times.get(hop) ?? 0) + profile.timeDeltas[i]);
  });
  return times;
}

function ownHop(
  { functionName, url }: CpuProfile['nodes'][number]['callFrame'],
  hops: readonly Hop[],
): string | undefined {
  if (functionName === IDLE) return IDLE;
  if (functionName === '(garbage collector)') return GARBAGE;
  const name = `${functionName} ${url}`;
  return hops.find(({ pattern }) => pattern.test(name))?.hop;
}

const SHARED: readonly Hop[] = [
  {
    hop: 'start: modules, configuration',
    pattern: /node:internal\/(modules|bootstrap)|cjs-module-lexer|node:internal\/vm/,
  },
  { hop: 'tickets (BullMQ)', pattern: /\/(bullmq|msgpackr|cron-parser)\/|adapters\/dist\/bullmq\// },
];

/** Of ingest, in the order of a record's way. */
export const INGEST_HOPS: readonly Hop[] = [
  ...SHARED,
  { hop: 'decode JSON, validate', pattern: /libs\/streams\/dist\/|pipeline\/dist\/read-record/ },
  { hop: 'columnar chunk', pattern: /pipeline\/dist\/chunk/ },
  { hop: 'append to the log (Redis client)', pattern: /\/(ioredis|redis-parser)\/|adapters\/dist\/redis\// },
  { hop: 'consume (kafkajs)', pattern: /\/kafkajs\/|adapters\/dist\/kafka\// },
];

/** Of the forecaster, in the order of a record's way. */
export const FORECASTER_HOPS: readonly Hop[] = [
  ...SHARED,
  { hop: 'states to bytes', pattern: /pipeline\/dist\/(series-state|series-memory)|readStates / },
  { hop: 'step', pattern: /libs\/nn\/dist\// },
  {
    hop: 'encode points',
    pattern: /^(emit|emitRows|points) |pipeline\/dist\/(point-lines|line-protocol)|declared\/(points|point-head)/,
  },
  { hop: 'features', pattern: /libs\/streams\/dist\/|pipeline\/dist\/(advance-rows|batch-rows|event-times|chunk)/ },
  { hop: 'waves', pattern: /pipeline\/dist\/(waves|batch|shard-series|forecaster)/ },
  {
    hop: 'write to InfluxDB (HTTP client)',
    pattern: /adapters\/dist\/influx\/|node:_http|node:internal\/deps\/undici/,
  },
  { hop: 'drain and commit (Redis client)', pattern: /\/(ioredis|redis-parser)\/|adapters\/dist\/redis\// },
];
