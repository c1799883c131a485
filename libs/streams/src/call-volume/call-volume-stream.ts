import { escapeTag, type LatePolicy, pointTime, type Stream } from '@tideline/pipeline';
import { decodeCallVolume, VOLUME_NUMBERS, VOLUME_SCHEMA } from './decode.ts';
import { agentsFor, loadOf, serviceLevel } from './erlang-c.ts';
import { VOLUME_CONTEXT, VOLUME_CONTEXT_SIZE, VOLUME_HORIZONS, VOLUME_INPUT_SIZE, VolumeFeatures } from './features.ts';
import { VOLUME_STATE_SIZE } from './memory.ts';
import { VOLUME_OUTPUT_SIZE, volumeQuantiles } from './outputs.ts';
import { CALL_VOLUME_DEFAULTS, type CallVolumeSettings } from './settings.ts';

export interface CallVolumeStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  readonly settings?: CallVolumeSettings;
  /** What happens to intervals that come late or twice; default `drop`: whatever it is, none of them is a step. */
  readonly late?: LatePolicy;
  /** A queue that was silent for longer, in event time, starts anew; absent or null: never. */
  readonly idleTtlMs?: number | null;
}

/**
 * The stream of topic `call-volume`: at the end of each interval of a queue an `arrivals` point a horizon, with quantiles of the calls to come and the
 * agents that they need. An hour for which the queue is closed has no point.
 */
export function createCallVolumeStream(options: CallVolumeStreamOptions): Stream {
  const { settings = CALL_VOLUME_DEFAULTS, late = 'drop', idleTtlMs } = options;
  const model = escapeTag(options.modelName);
  const name = escapeTag(settings.name);
  const features = new VolumeFeatures(settings);
  const { each } = VOLUME_CONTEXT;
  return {
    name: settings.name,
    late,
    ...(idleTtlMs == null ? {} : { idleTtlMs }),
    schema: VOLUME_SCHEMA,
    stateSize: VOLUME_STATE_SIZE,
    contextSize: VOLUME_CONTEXT_SIZE,
    inputSize: VOLUME_INPUT_SIZE,
    outputSize: VOLUME_OUTPUT_SIZE,
    decode: decodeCallVolume,
    advance(chunk, row, buffers) {
      const record = {
        calls: chunk.numbers[VOLUME_NUMBERS.calls][row],
        intervalMs: chunk.numbers[VOLUME_NUMBERS.intervalMs][row],
        timeMs: chunk.timeMs[row],
      };
      return features.advance(record, buffers) ? 'step' : 'skip';
    },
    emit(shard, chunk, row, output, lines) {
      const key = chunk.keys[chunk.keyOf[row]];
      const queue = escapeTag(key);
      const target = settings.targets.get(key) ?? settings.target;
      const { context, contextAt } = output;
      const calls = context[contextAt + VOLUME_CONTEXT.calls];
      const intervalMs = context[contextAt + VOLUME_CONTEXT.intervalMs];
      for (let h = 0; h < VOLUME_HORIZONS.length; h += 1) {
        const place = contextAt + VOLUME_CONTEXT.horizons + h * each;
        if (context[place + 3] === 0) continue;
        const [q10, q50, q90] = volumeQuantiles(output, h);
        const load = loadOf(q50, intervalMs, target);
        const agents = agentsFor(load, target);
        lines.push(
          `arrivals,horizon=${VOLUME_HORIZONS[h]},model=${model},queue=${queue},series=${queue},stream=${name} ` +
            `agents=${agents}i,agents_q90=${agentsFor(loadOf(q90, intervalMs, target), target)}i,interval_ms=${intervalMs}i,last=${calls},load=${load},` +
            `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,q10=${q10},q50=${q50},q90=${q90},` +
            `service_level=${serviceLevel(load, agents, target)},target=${context[place + 1]}i ${pointTime(chunk, row)}`,
        );
      }
    },
  };
}
