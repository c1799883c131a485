import { CHECKPOINT_TOPIC } from '@tideline/adapters';
import { HEALTH_FIELDS, KAFKA_FIELDS, LOG_FIELDS, REDIS_FIELDS } from '@tideline/runtime';
import { STREAM_FIELDS } from '@tideline/streams';
import { z } from 'zod';

/** Environment of the ingest service. */
export const INGEST_CONFIG = z.object({
  ...KAFKA_FIELDS,
  ...REDIS_FIELDS,
  ...STREAM_FIELDS,
  TIDELINE_KAFKA_GROUP: z.string().min(1).default('tideline-ingest'),
  /** `2/3`: read every third partition, from the second on, without waiting for the group; see docs/decisions/0007-ingest-share.md. */
  TIDELINE_INGEST_SHARE: z
    .string()
    .regex(/^[1-9]\d{0,3}\/[1-9]\d{0,3}$/, "must be 'INDEX/COUNT', such as 1/1 or 2/3")
    .transform((text) => {
      const [index, count] = text.split('/').map(Number);
      return { index: index - 1, count };
    })
    .refine(({ index, count }) => index < count, 'must have an INDEX of at most COUNT')
    .optional(),
  /** Partitions of a topic that ingest has to create. */
  TIDELINE_KAFKA_PARTITIONS: z.coerce.number().int().min(1).max(1024).default(4),
  /** Where records trickle in, the next fetch waits, so that more of them are stepped together: three times as long as handling a batch takes, at most this. */
  TIDELINE_FETCH_INTERVAL_MS: z.coerce.number().int().min(0).max(1_000).default(10),
  TIDELINE_LOG_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(65_536, 'must be at least 65536 bytes')
    .default(64 * 1024 * 1024),
  TIDELINE_CHUNK_ROWS_MAX: z.coerce.number().int().min(1).max(100_000).default(2_000),
  /** Pause between two checkpoints of the shards beyond Redis; 0: none are written. */
  TIDELINE_CHECKPOINT_INTERVAL_MS: z.coerce.number().int().min(0).default(60_000),
  TIDELINE_CHECKPOINT_TOPIC: z.string().min(1).default(CHECKPOINT_TOPIC),
  /** Where Redis does not know a shard: go on from its `newest` checkpoint, or (`off`) from the beginning of Kafka's retention. */
  TIDELINE_CHECKPOINT_RESTORE: z.enum(['newest', 'off']).default('newest'),
  /** Checkpoints are written no faster than this, so that they take nothing from the pipeline. */
  TIDELINE_CHECKPOINT_BYTES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(65_536, 'must be at least 65536 bytes')
    .default(16 * 1024 * 1024),
  ...HEALTH_FIELDS,
  ...LOG_FIELDS,
});

export type IngestConfig = z.infer<typeof INGEST_CONFIG>;
