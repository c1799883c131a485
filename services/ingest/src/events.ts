import type { OnEvent } from '@tideline/pipeline';
import { shardName } from '@tideline/pipeline';
import type { Logger, Metrics } from '@tideline/runtime';

/** Log line and counter of each event of ingest, from one place. */
export function createIngestEvents(log: Logger, metrics: Metrics): OnEvent {
  const records = metrics.counter('forecast_ingested_records_total', 'Records appended to shard logs.', ['stream']);
  const bytes = metrics.counter('forecast_ingested_bytes_total', 'Bytes of chunks appended to shard logs.', ['stream']);
  const letters = metrics.counter('forecast_dead_letters_total', 'Records refused to the dead letters.', ['stream']);
  const retries = metrics.counter('forecast_ingest_retries_total', 'Operations tried again in place.', ['stream']);
  return (event) => {
    const shard = shardName(event.shard);
    const stream = event.shard.topic;
    switch (event.type) {
      case 'appended':
        records.inc({ stream }, event.records);
        bytes.inc({ stream }, event.bytes);
        log.debug({ shard, records: event.records }, 'Chunk appended.');
        break;
      case 'dead-lettered':
        letters.inc({ stream });
        log.warn({ shard, offset: event.offset, field: event.field, reason: event.reason }, 'Record dead-lettered.');
        break;
      case 'sought':
        log.info({ shard, from: event.from, to: event.to }, "Reading goes on at the store's head.");
        break;
      case 'back-pressure':
        log.warn(
          { shard, on: event.on },
          event.on ? 'Shard log is full: the source waits.' : 'Shard log has room again.',
        );
        break;
      case 'retrying':
        retries.inc({ stream });
        log.warn({ shard, attempt: event.attempt, reason: event.reason }, 'Retrying in place.');
        break;
      default:
        break;
    }
  };
}
