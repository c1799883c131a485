import {
  type Chunk,
  escapeTag,
  type LatePolicy,
  pointTime,
  type RowOutput,
  type Shard,
  type Stream,
} from '@tideline/pipeline';
import { TICK_FIELDS, TICK_SCHEMA, type TickFields, tickDecoder } from './decode.ts';
import { advanceTick, TICK_CONTEXT, TICK_CONTEXT_SIZE, TICK_INPUT_SIZE, TICK_STATE_SIZE } from './features.ts';
import { quantilesOf } from './quantiles.ts';

export interface TickStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  /** How many records of the series ahead; default 1 and 5. */
  readonly horizons?: readonly number[];
  /** Names of a real feed's fields where they differ from the contract's. */
  readonly fields?: Partial<TickFields>;
  /** What happens to late ticks; default `apply`. */
  readonly late?: LatePolicy;
  /** A symbol that was silent for longer, in event time, starts anew; absent or null: never. */
  readonly idleTtlMs?: number | null;
}

export const TICK_HORIZONS: readonly number[] = [1, 5];

/** The stream of topic `ticks`: quantile forecasts of the price and its log return, for each horizon at every tick. */
export function createTickStream(options: TickStreamOptions): Stream {
  const horizons = options.horizons ?? TICK_HORIZONS;
  const fields = { ...TICK_FIELDS, ...options.fields };
  const model = escapeTag(options.modelName);
  return {
    name: 'ticks',
    looksForSaturation: true,
    late: options.late ?? 'apply',
    ...(options.idleTtlMs == null ? {} : { idleTtlMs: options.idleTtlMs }),
    schema: TICK_SCHEMA,
    stateSize: TICK_STATE_SIZE,
    contextSize: TICK_CONTEXT_SIZE,
    inputSize: TICK_INPUT_SIZE,
    outputSize: 3 * horizons.length,
    decode: tickDecoder(fields),
    advance(chunk, row, buffers) {
      advanceTick(chunk, row, buffers);
      return 'step';
    },
    emit(shard, chunk, row, output, lines) {
      horizons.forEach((horizon, h) => {
        lines.push(forecastLine({ shard, chunk, row, output, model, horizon, h }));
      });
    },
  };
}

function forecastLine(point: {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly row: number;
  readonly output: RowOutput;
  readonly model: string;
  readonly horizon: number;
  readonly h: number;
}): string {
  const { shard, chunk, row, output, model, horizon, h } = point;
  const { context, contextAt } = output;
  const price = context[contextAt + TICK_CONTEXT.price];
  const unit = context[contextAt + TICK_CONTEXT.sigma] * Math.sqrt(horizon);
  const [r10, r50, r90] = quantilesOf(output.outputs, output.outputAt + 3 * h).map((q) => q * unit);
  const [q10, q50, q90] = [r10, r50, r90].map((r) => price * Math.exp(r));
  const target = Math.round(chunk.timeMs[row] + horizon * context[contextAt + TICK_CONTEXT.gapMs]);
  const series = escapeTag(chunk.keys[chunk.keyOf[row]]);
  return (
    `forecast,horizon=${horizon},model=${model},series=${series},stream=ticks ` +
    `last=${price},offset=${chunk.offsets[row]}i,partition=${shard.partition}i,q10=${q10},q50=${q50},q90=${q90},` +
    `r10=${r10},r50=${r50},r90=${r90},target=${target}i ${pointTime(chunk, row)}`
  );
}
