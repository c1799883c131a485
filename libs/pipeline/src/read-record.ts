import { ChunkBuilder } from './chunk.ts';
import type { RawRecord } from './record.ts';
import type { Stream } from './stream.ts';

/** A builder for records of the stream. It keeps the records themselves where the stream's late ones go to the dead letters. */
export function builderFor(stream: Stream, rows: number): ChunkBuilder {
  return new ChunkBuilder(stream.schema, rows, { originals: stream.late === 'dead-letter' });
}

/** Reads one record into the builder's next row. Throws PoisonRecordError, and pushes nothing, where it cannot. */
export function readRecord(stream: Stream, record: RawRecord, builder: ChunkBuilder): void {
  if (builder.keepsOriginals) builder.original(stream.redaction?.record(record) ?? record);
  stream.decode(record, builder);
}
