import { ConfigError } from '@tideline/pipeline';
import type { Admin } from 'kafkajs';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { whileSettling } from './settling.ts';

/** A topic that must exist. */
export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor?: number;
  /** Topic configuration of Kafka, for example `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Creates the topics that are missing and waits until they can be written to. An existing topic is left as it is.
 * Resolves with the names of those created. Throws RetryableError where Kafka does not answer, ConfigError where it refuses.
 */
export function ensureTopics(options: KafkaConnection & { readonly topics: readonly TopicSpec[] }): Promise<string[]> {
  return withAdmin(options, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = options.topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, replicationFactor = 1, config = {} }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
    for (const { topic } of missing) await whileSettling(() => readRanges(admin, topic), { isNew: true });
    return missing.map(({ topic }) => topic);
  });
}

/** What retention has left of a partition: offsets `low` (inclusive) to `high` (exclusive). */
export interface PartitionRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Ranges of a topic's partitions, by partition. */
export async function readRanges(admin: Admin, topic: string): Promise<PartitionRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets
    .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
    .sort((a, b) => a.partition - b.partition);
}

/** Ranges of several topics, by topic; for `doctor` and lag figures. Throws ConfigError where a topic is missing. */
export function topicRanges(
  options: KafkaConnection & { readonly topics: readonly string[] },
): Promise<ReadonlyMap<string, readonly PartitionRange[]>> {
  return withAdmin(options, async (admin) => {
    await assertTopics(admin, options.topics, kafkaAddress(options));
    const ranges = new Map<string, PartitionRange[]>();
    for (const topic of options.topics) ranges.set(topic, await readRanges(admin, topic));
    return ranges;
  });
}

/** Throws ConfigError, naming them, where topics are missing: a consumer would wait for them in silence. */
export async function assertTopics(admin: Admin, topics: readonly string[], address: string): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0)
    throw new ConfigError(
      missing.map((topic) => `Topic '${topic}' does not exist at Kafka ${address}. Create it, or correct its name.`),
    );
}

/** Connects an admin client for the time of `work`. */
export async function withAdmin<T>(connection: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = createKafkaClient(connection, 'quick').admin();
  return withKafkaErrors(kafkaAddress(connection), async () => {
    try {
      await admin.connect();
      return await whileSettling(() => work(admin), { isNew: false });
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  });
}
