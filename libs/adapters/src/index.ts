export type {
  BullDeliveryQueueOptions,
  Delivery,
  DeliveryAttempt,
  DeliveryOutcome,
  DeliveryQueue,
} from './bullmq/delivery-queue.ts';
export { createBullDeliveryQueue } from './bullmq/delivery-queue.ts';
export type { BullTicketQueueOptions } from './bullmq/ticket-queue.ts';
export { createBullTicketQueue } from './bullmq/ticket-queue.ts';
export type { InfluxConnection } from './influx/influx-connection.ts';
export { influxAddress } from './influx/influx-connection.ts';
export type { InfluxReader } from './influx/influx-reader.ts';
export { createInfluxReader } from './influx/influx-reader.ts';
export type { InfluxPoint, InfluxSink, InfluxSinkOptions } from './influx/influx-sink.ts';
export { createInfluxSink } from './influx/influx-sink.ts';
export { sortedLine } from './influx/line-format.ts';
export type { KafkaCheckpointOptions } from './kafka/checkpoint-log.ts';
export { CHECKPOINT_TOPIC, createKafkaCheckpointLog } from './kafka/checkpoint-log.ts';
export type { KeptLetter, Redriven } from './kafka/dead-letter-format.ts';
export { letterKey } from './kafka/dead-letter-format.ts';
export type { KafkaDeadLetterOptions, KafkaDeadLetterSink } from './kafka/dead-letter-sink.ts';
export { createKafkaDeadLetterSink, DEAD_LETTER_TOPIC } from './kafka/dead-letter-sink.ts';
export type { FollowOptions } from './kafka/follow-partition.ts';
export { followPartition } from './kafka/follow-partition.ts';
export type { KafkaConnection, KafkaLog } from './kafka/kafka-connection.ts';
export type { KafkaSourceOptions } from './kafka/kafka-source.ts';
export { createKafkaSource } from './kafka/kafka-source.ts';
export type { PointTopicOptions } from './kafka/point-topic.ts';
export { createPointTopicSink } from './kafka/point-topic.ts';
export type { ReadDeadLettersOptions } from './kafka/read-dead-letters.ts';
export { readDeadLetters } from './kafka/read-dead-letters.ts';
export type { RedriveOptions } from './kafka/redrive.ts';
export { REDRIVEN_FROM_HEADER, redriveDeadLetters } from './kafka/redrive.ts';
export type { OutgoingRecord, ProduceOptions, TopicProducer } from './kafka/topic-producer.ts';
export { createTopicProducer, produceRecords } from './kafka/topic-producer.ts';
export type { PartitionRange, TopicSpec } from './kafka/topics.ts';
export { ensureTopics, topicRanges } from './kafka/topics.ts';
export type { FeedRecord, FeedSource, FeedSourceOptions } from './local/feed-source.ts';
export { createFeedSource } from './local/feed-source.ts';
export type { LineFileSink } from './local/line-file-sink.ts';
export { createLineFileSink } from './local/line-file-sink.ts';
export type { LmdbDeadLetterSink } from './local/lmdb-dead-letters.ts';
export { createLmdbDeadLetterSink } from './local/lmdb-dead-letters.ts';
export type { LmdbShardStoreOptions } from './local/lmdb-shard-store.ts';
export { createLmdbShardStore } from './local/lmdb-shard-store.ts';
export type { RecordFileOptions } from './local/record-file.ts';
export { readRecordFile } from './local/record-file.ts';
export type { SortedPointsOptions, StoredPoint } from './local/sorted-points.ts';
export { sortedPoints } from './local/sorted-points.ts';
export { createMemoryCheckpointLog } from './memory/checkpoint-log.ts';
export type { MemoryDeadLetterSink } from './memory/dead-letter-sink.ts';
export { createMemoryDeadLetterSink } from './memory/dead-letter-sink.ts';
export { createMemoryLiveFeed } from './memory/live-feed.ts';
export type { MemoryPointSink } from './memory/point-sink.ts';
export { createMemoryPointSink } from './memory/point-sink.ts';
export type { MemoryShardStoreOptions } from './memory/shard-store.ts';
export { createMemoryShardStore } from './memory/shard-store.ts';
export type { MemoryTicketQueueOptions } from './memory/ticket-queue.ts';
export { createMemoryTicketQueue } from './memory/ticket-queue.ts';
export { createRedisAppendFeed } from './redis/append-feed.ts';
export type { FirstValues, RedisFirstValuesOptions } from './redis/first-values.ts';
export { createRedisFirstValues } from './redis/first-values.ts';
export type { RedisLiveFeedOptions } from './redis/live-feed.ts';
export { createRedisLiveFeed } from './redis/live-feed.ts';
export { checkRedisServer, openRedis, redisAddress } from './redis/redis-connection.ts';
export type { RedisShardStoreOptions } from './redis/shard-store.ts';
export { createRedisShardStore } from './redis/shard-store.ts';
