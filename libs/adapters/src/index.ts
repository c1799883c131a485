export type { MemoryDeadLetterSink } from './memory/dead-letter-sink.ts';
export { createMemoryDeadLetterSink } from './memory/dead-letter-sink.ts';
export { createMemoryLiveFeed } from './memory/live-feed.ts';
export type { MemoryPointSink } from './memory/point-sink.ts';
export { createMemoryPointSink } from './memory/point-sink.ts';
export type { MemoryShardStoreOptions } from './memory/shard-store.ts';
export { createMemoryShardStore } from './memory/shard-store.ts';
export type { MemoryTicketQueueOptions } from './memory/ticket-queue.ts';
export { createMemoryTicketQueue } from './memory/ticket-queue.ts';
