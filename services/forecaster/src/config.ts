import { ENGINE_KINDS } from '@tideline/nn';
import { ALERT_FIELDS, HEALTH_FIELDS, INFLUX_FIELDS, KAFKA_FIELDS, LOG_FIELDS, REDIS_FIELDS } from '@tideline/runtime';
import { STREAM_FIELDS } from '@tideline/streams';
import { z } from 'zod';

/** Environment of the forecaster service. */
export const FORECASTER_CONFIG = z
  .object({
    ...REDIS_FIELDS,
    /** Asked for only where late records go to the dead letters, or a topic has rules for alerts. */
    ...KAFKA_FIELDS,
    ...INFLUX_FIELDS,
    ...STREAM_FIELDS,
    ...ALERT_FIELDS,
    /** Folder with `<model>/model.tdl` and `<model>/card.json`. */
    TIDELINE_MODELS: z.string().min(1).default('models'),
    TIDELINE_ENGINE: z.enum(ENGINE_KINDS).default('auto'),
    TIDELINE_SERIES_MAX: z.coerce.number().int().min(1).default(200_000),
    /** Shards that one process serves at once. */
    TIDELINE_CONCURRENCY: z.coerce.number().int().min(1).max(256).default(16),
    /** Shards with a backlog that one process keeps; of more, each goes back to the queue after a batch, for whoever has less to do. */
    TIDELINE_BACKLOGS_MAX: z.coerce.number().int().min(1).max(256).default(4),
    /** A drained shard stays with its forecaster so long without a record; 0: it goes back to the queue at once. */
    TIDELINE_HOLD_MS: z.coerce.number().int().min(0).max(60_000).default(1_000),
    TIDELINE_BATCH_ENTRIES_MAX: z.coerce.number().int().min(1).max(1_000).default(32),
    TIDELINE_SLICE_RECORDS_MAX: z.coerce.number().int().min(1).default(50_000),
    /** Lease on a ticket: a dead forecaster's shard moves on after at most this and one stalled check. */
    TIDELINE_LOCK_DURATION_MS: z.coerce.number().int().min(500).default(2_000),
    TIDELINE_STALLED_INTERVAL_MS: z.coerce.number().int().min(250).default(500),
    ...HEALTH_FIELDS,
    ...LOG_FIELDS,
  })
  .refine(
    (config) => (config.TIDELINE_INFLUX_USERNAME === undefined) === (config.TIDELINE_INFLUX_PASSWORD === undefined),
    {
      path: ['TIDELINE_INFLUX_PASSWORD'],
      error: 'TIDELINE_INFLUX_USERNAME and TIDELINE_INFLUX_PASSWORD belong together: set both or neither',
    },
  );

export type ForecasterConfig = z.infer<typeof FORECASTER_CONFIG>;
