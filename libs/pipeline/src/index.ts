export type { BatchInput, BatchResult, Forecasting } from './batch.ts';
export { computeBatch } from './batch.ts';
export { BufferPool } from './buffer-pool.ts';
export type { ModelChange, ModelChangeResult } from './change-model.ts';
export { changeModel } from './change-model.ts';
export type { ChunkKeys } from './changed-keys.ts';
export { ChangedKeys } from './changed-keys.ts';
export type { CheckpointOptions, CheckpointResult, CheckpointState } from './checkpoint.ts';
export { giveUp as giveUpCheckpoint, writeCheckpoint } from './checkpoint.ts';
export type {
  Checkpoint,
  CheckpointLog,
  CheckpointMarker,
  CheckpointWriter,
  ShardImage,
  ShardMark,
  ShardSnapshot,
  SnapshotStore,
  StateChange,
} from './checkpoint-ports.ts';
export type { CheckpointedStoreOptions, RestoreEvent } from './checkpointed-store.ts';
export { CheckpointedStore, statesOf } from './checkpointed-store.ts';
export type { Chunk, ChunkSchema } from './chunk.ts';
export { ChunkBuilder } from './chunk.ts';
export { chunkKeys, decodeChunk, encodeChunk } from './chunk-codec.ts';
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
export type { LatePolicy } from './event-times.ts';
export { isLate, LATE_POLICIES, NO_TIMES, TIMES, TIMES_SIZE, takeTime } from './event-times.ts';
export type { OnEvent, PipelineEvent } from './events.ts';
export type { ForecasterOptions } from './forecaster.ts';
export { Forecaster } from './forecaster.ts';
export type { Ingest, IngestOptions } from './ingest.ts';
export { announceOutstanding, createIngest } from './ingest.ts';
export {
  digestOfLines,
  escapeTag,
  lineFields,
  lineTags,
  PointDigest,
  pointIdentity,
  pointSubNs,
  pointTime,
  splitLine,
  stringField,
  timeDigits,
} from './line-protocol.ts';
export { readOriginal } from './originals.ts';
export type { Lines } from './point-lines.ts';
export { PointLines } from './point-lines.ts';
export type {
  AppendResult,
  Claim,
  Commit,
  DeadLetterSink,
  Fence,
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
export { builderFor, readRecord } from './read-record.ts';
export type { RebuildOptions, RebuildReport } from './rebuild.ts';
export { REBUILD_SLOTS, SeriesRebuild } from './rebuild.ts';
export type {
  DeadLetter,
  DeadLetterCode,
  EventTime,
  RawRecord,
  RecordHeaders,
  Shard,
  SourceBatch,
  TimeUnit,
} from './record.ts';
export { APPLY_LATE_HEADER, DEAD_LETTER_CODES, shardName } from './record.ts';
export { retryInPlace } from './retry.ts';
export { SATURATED_STEPS } from './saturation.ts';
export { SeriesMemory } from './series-memory.ts';
export type { SeriesState, StateHeader, StateLayout } from './series-state.ts';
export { decodeState, encodeState, encodeStates, lastEventMs, packedBytesOf, readStateHeader } from './series-state.ts';
export type { Watermark } from './shard-clock.ts';
export { SHARD_CLOCK_KEY, ShardClock } from './shard-clock.ts';
export { ShardSeries } from './shard-series.ts';
export type {
  LineWriter,
  OutputState,
  Redaction,
  RowAction,
  RowBuffers,
  RowOutput,
  SequenceCause,
  SequenceEnd,
  Stream,
} from './stream.ts';
export type { Run, Wave, WavePlan } from './waves.ts';
export { planWaves, WAVE_WIDTH_MIN } from './waves.ts';
