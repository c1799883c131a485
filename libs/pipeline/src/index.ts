export type { Chunk, ChunkSchema } from './chunk.ts';
export { ChunkBuilder } from './chunk.ts';
export type { SequenceRun, StepBatch, StepEngine } from './engine.ts';
export type { ErrorCode } from './errors.ts';
export {
  ConfigError,
  ERROR_CODES,
  PoisonRecordError,
  RetryableError,
  StaleEpochError,
  TidelineError,
} from './errors.ts';
export {
  digestOfLines,
  escapeTag,
  pointIdentity,
  pointTime,
  splitLine,
  stringField,
  timeDigits,
} from './line-protocol.ts';
export type {
  AppendResult,
  Claim,
  Commit,
  DeadLetterSink,
  LiveFeed,
  LogEntry,
  PointSink,
  RecordSource,
  ShardStatus,
  ShardStore,
  SourceHandler,
  Ticket,
  TicketQueue,
} from './ports.ts';
export { BEGINNING } from './ports.ts';
export type { DeadLetter, EventTime, RawRecord, Shard, SourceBatch, TimeUnit } from './record.ts';
export { shardName } from './record.ts';
export type { RowAction, RowBuffers, RowOutput, Stream } from './stream.ts';
