import {
  CheckpointedStore,
  type CheckpointLog,
  type CheckpointMarker,
  type CheckpointResult,
  giveUpCheckpoint,
  RetryableError,
  type Shard,
  type ShardStore,
  type SnapshotStore,
  StaleEpochError,
  shardName,
  writeCheckpoint,
} from '@tideline/pipeline';
import type { Logger, Metrics } from '@tideline/runtime';

export interface CheckpointsOptions {
  readonly store: ShardStore & SnapshotStore;
  readonly log: CheckpointLog;
  /** 0: none are written. */
  readonly intervalMs: number;
  readonly bytesPerSecond: number;
  /** Whether shards that the store does not know are restored. */
  readonly restore: boolean;
  /** Offset after the newest record of the shard's topic, as the source has it. */
  readonly endOf: (shard: Shard) => Promise<number>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** The time of day, for people. */
  readonly wallMs: () => number;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn'>;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly signal: AbortSignal;
}

/** Checkpoints of the shards that this process feeds. */
export interface Checkpoints {
  /** The store as ingest is to see it. */
  readonly store: ShardStore;
  /** See CheckpointedStore. */
  readonly catchUp: (shard: Shard) => Promise<void>;
  /** Writes checkpoints until the signal aborts. A failure is told and tried again at the next interval; only a bug rejects. */
  run(): Promise<void>;
}

export function createCheckpoints(options: CheckpointsOptions): Checkpoints {
  const { log, logger, nowMs, restore, signal, sleep, wallMs } = options;
  const tell = createTellers(options);
  const store = new CheckpointedStore({
    ...{ store: options.store, log, restore },
    accepts: async (marker: CheckpointMarker) => marker.position <= (await options.endOf(marker.shard)),
    nowMs,
    onEvent: tell.restored,
  });
  const writeOne = async ({ shard, state }: ReturnType<CheckpointedStore['tracked']>[number]): Promise<void> => {
    const started = nowMs();
    try {
      const pace = pacer(options);
      const result = await writeCheckpoint({
        ...{ shard, state, log, pace, signal },
        store: options.store,
        nowMs: wallMs,
      });
      if (result.status === 'foreign') store.untrack(shard);
      tell.written(shard, result, nowMs() - started);
      if (result.status === 'superseded') await store.catchUp(shard);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RetryableError || error instanceof StaleEpochError)) throw error;
      tell.failed(shard, error);
    }
  };
  return {
    store,
    catchUp: (shard) => store.catchUp(shard),
    async run() {
      if (options.intervalMs === 0) return;
      await sleep(options.intervalMs, signal);
      while (!signal.aborted) {
        // One after the other: a bound on what is in memory, and on the load.
        for (const tracked of store.tracked()) if (!signal.aborted) await writeOne(tracked);
        await sleep(options.intervalMs, signal);
      }
      for (const { state } of store.tracked()) await giveUpCheckpoint(state);
      logger.debug({}, 'Checkpoints end.');
    },
  };
}

/** Waits so that no more than `bytesPerSecond` are written from the first part on. */
function pacer({ bytesPerSecond, nowMs, signal, sleep }: CheckpointsOptions): (bytes: number) => Promise<void> {
  const started = nowMs();
  let written = 0;
  return async (bytes) => {
    written += bytes;
    const aheadMs = (written / bytesPerSecond) * 1_000 - (nowMs() - started);
    if (aheadMs > 1) await sleep(aheadMs, signal);
  };
}

/** Log line and counters of each event, from one place. */
function createTellers({ logger, metrics }: CheckpointsOptions) {
  const checkpoints = metrics.counter('forecast_checkpoints_total', 'Checkpoints of shards, by outcome.', [
    'stream',
    'outcome',
  ]);
  const bytes = metrics.counter('forecast_checkpoint_bytes_total', 'Bytes of states written to checkpoints.', [
    'stream',
  ]);
  const states = metrics.counter('forecast_checkpoint_states_total', 'States written to checkpoints.', ['stream']);
  const restores = metrics.counter('forecast_restored_shards_total', 'Shards restored from a checkpoint.', ['stream']);
  return {
    written(shard: Shard, result: CheckpointResult, durationMs: number): void {
      const stream = shard.topic;
      checkpoints.inc({ stream, outcome: result.status });
      if (result.status !== 'written') {
        logger.debug({ shard: shardName(shard), outcome: result.status }, 'No checkpoint was written.');
        return;
      }
      bytes.inc({ stream }, result.bytes);
      states.inc({ stream }, result.states + result.removed);
      const { whole, marker, removed } = result;
      const counts = { states: result.states, removed, bytes: result.bytes, whole, durationMs: Math.round(durationMs) };
      logger.info({ shard: shardName(shard), position: marker.position, ...counts }, 'Checkpoint written.');
    },
    failed(shard: Shard, error: Error): void {
      checkpoints.inc({ stream: shard.topic, outcome: error instanceof StaleEpochError ? 'fenced' : 'failed' });
      logger.warn(
        { shard: shardName(shard), reason: error.message },
        'A checkpoint came to nothing; the one before stays.',
      );
    },
    restored(event: Parameters<ConstructorParameters<typeof CheckpointedStore>[0]['onEvent']>[0]): void {
      const shard = shardName(event.shard);
      if (event.type === 'restored') {
        restores.inc({ stream: event.shard.topic });
        const { position, atMs } = event.marker;
        const durationMs = Math.round(event.durationMs);
        logger.warn(
          { shard, position, series: event.series, durationMs, at: new Date(atMs) },
          'Shard restored from its checkpoint.',
        );
      } else if (event.reason === 'refused') {
        logger.warn({ shard, position: event.position }, 'The checkpoint is of another topic: the shard begins anew.');
      } else logger.info({ shard }, 'No checkpoint: the shard begins at the beginning of retention.');
    },
  };
}
