import type { OnEvent } from '@tideline/pipeline';
import { shardName } from '@tideline/pipeline';
import type { Logger, Metrics } from '@tideline/runtime';

/** Log line and counter of each event of the forecaster, from one place. */
export function createForecasterEvents(log: Logger, metrics: Metrics): OnEvent {
  const records = metrics.counter('forecast_records_total', 'Records stepped and committed.', ['stream']);
  const points = metrics.counter('forecast_points_total', 'Points accepted by the sink and committed.', ['stream']);
  const retries = metrics.counter('forecast_retries_total', 'Operations tried again in place.', ['stream']);
  const fenced = metrics.counter('forecast_fenced_total', 'Batches refused because another owner had the shard.', [
    'stream',
  ]);
  const quarantined = metrics.counter(
    'forecast_quarantined_total',
    'Series quarantined: a value that is not finite, or a saturated state.',
    ['stream'],
  );
  const order = createOrderEvents(log, metrics);
  return (event) => {
    const shard = shardName(event.shard);
    const stream = event.shard.topic;
    switch (event.type) {
      case 'claimed':
        log.debug({ shard, epoch: event.epoch, position: event.position, kept: event.kept }, 'Shard claimed.');
        break;
      case 'committed':
        records.inc({ stream }, event.records);
        points.inc({ stream }, event.lines);
        log.debug(
          { shard, position: event.position, records: event.records, series: event.series },
          'Batch committed.',
        );
        break;
      case 'model-changed':
        log.warn({ shard, from: event.from, to: event.to }, 'The model changed: series start with fresh states.');
        break;
      case 'model-foreign':
        log.warn(
          { shard, states: event.from, model: event.to },
          "The shard's states are of another model: it is left alone until 'tideline models promote' changes it.",
        );
        break;
      case 'quarantined':
        quarantined.inc({ stream });
        log.error({ shard, series: event.series, offset: event.offset, reason: event.reason }, 'Series quarantined.');
        break;
      case 'fenced':
        fenced.inc({ stream });
        log.warn({ shard, reason: event.reason }, 'Shard lost to another owner.');
        break;
      case 'retrying':
        retries.inc({ stream });
        log.warn({ shard, attempt: event.attempt, reason: event.reason }, 'Retrying in place.');
        break;
      default:
        order(event);
    }
  };
}

/** Records that came late, series that were silent for too long. */
function createOrderEvents(log: Logger, metrics: Metrics): OnEvent {
  const late = metrics.counter('forecast_late_total', 'Late and repeated records, whatever became of them.', [
    'stream',
    'policy',
  ]);
  const letters = metrics.counter('forecast_dead_letters_total', 'Late records refused to the dead letters.', [
    'stream',
  ]);
  const idle = metrics.counter(
    'forecast_idle_series_total',
    'Series that were silent for too long: begun anew, or removed.',
    ['stream', 'what'],
  );
  return (event) => {
    const shard = shardName(event.shard);
    const stream = event.shard.topic;
    switch (event.type) {
      case 'late':
        late.inc({ stream, policy: event.policy }, event.late + event.repeated);
        log.debug({ shard, policy: event.policy, late: event.late, repeated: event.repeated }, 'Records came late.');
        break;
      case 'idle':
        idle.inc({ stream, what: 'begun anew' }, event.restarted);
        idle.inc({ stream, what: 'removed' }, event.swept);
        log.debug({ shard, restarted: event.restarted, removed: event.swept }, 'Series were silent for too long.');
        break;
      case 'dead-lettered':
        letters.inc({ stream });
        log.warn({ shard, offset: event.offset, reason: event.reason }, 'Late record dead-lettered.');
        break;
      default:
        break;
    }
  };
}
