import { middleOf } from '@tideline/nn';
import {
  type Chunk,
  escapeTag,
  type LatePolicy,
  pointTime,
  type RowOutput,
  type Shard,
  type Stream,
} from '@tideline/pipeline';
import { VERIFICATION_DEFAULTS, type VerificationOptions } from '../verification/options.ts';
import { beginRow, emptyRow, Verification, type VerifiedRow } from '../verification/verification.ts';
import { TICK_FIELDS, TICK_SCHEMA, type TickFields, tickDecoder } from './decode.ts';
import { advanceTick, TICK_CONTEXT, TICK_CONTEXT_SIZE, TICK_INPUT_SIZE, TICK_STATE_SIZE } from './features.ts';
import { QUANTILES, quantilesOf } from './quantiles.ts';

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
  /** Whether forecasts are scored when their truth comes, and their intervals calibrated by it; default: no. */
  readonly isVerified?: boolean;
}

/** Of tick streams that are verified: horizons are short, so that every forecast is kept until its truth comes. */
const VERIFICATION: VerificationOptions = {
  pending: VERIFICATION_DEFAULTS.pending,
  calibration: { rate: VERIFICATION_DEFAULTS.rate, memory: 1_000 },
  // Experts would cost 2 µs a tick and horizon, and bought .2 % on generated ticks; the grid of prices bought 1.2 %.
  tick: 'auto',
  scores: { every: VERIFICATION_DEFAULTS.every, memory: VERIFICATION_DEFAULTS.memory },
  online: null,
};

export const TICK_HORIZONS: readonly number[] = [1, 5];

/** The stream of topic `ticks`: quantile forecasts of the price and its log return, for each horizon at every tick. */
export function createTickStream(options: TickStreamOptions): Stream {
  const horizons = options.horizons ?? TICK_HORIZONS;
  const fields = { ...TICK_FIELDS, ...options.fields };
  const model = escapeTag(options.modelName);
  const verification = options.isVerified ? verificationOf(horizons) : null;
  const row: VerifiedRow = emptyRow();
  const returns = new Float64Array(QUANTILES.length);
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
    ...(verification === null ? {} : { outputState: verification.outputState }),
    decode: tickDecoder(fields),
    advance(chunk, row, buffers) {
      advanceTick(chunk, row, buffers);
      return 'step';
    },
    emit(shard, chunk, r, output, lines) {
      if (verification !== null) {
        beginRow(
          row,
          { timeMs: chunk.timeMs[r], value: output.context[output.contextAt + TICK_CONTEXT.price] },
          output,
        );
        verification.settle(row);
      }
      for (let h = 0; h < horizons.length; h += 1) {
        const horizon = horizons[h];
        const width = output.context[output.contextAt + TICK_CONTEXT.sigma] * Math.sqrt(horizon);
        quantilesOf(output.outputs, output.outputAt + 3 * h).forEach((q, i) => {
          returns[i] = q * width;
        });
        verification?.take(row, h, returns, width);
        lines.push(forecastLine({ shard, chunk, row: r, output, model, horizon, returns }));
      }
      if (verification === null) return;
      const place = `offset=${chunk.offsets[r]}i,partition=${shard.partition}i`;
      for (let h = 0; h < horizons.length; h += 1) {
        const fields = verification.scoreFields(row, h);
        if (fields === null) continue;
        const series = escapeTag(chunk.keys[chunk.keyOf[r]]);
        const tags = `horizon=${horizons[h]},model=${model},series=${series},stream=ticks`;
        lines.push(`score,${tags} ${fields},${place} ${pointTime(chunk, r)}`);
      }
    },
  };
}

function verificationOf(horizons: readonly number[]): Verification {
  return new Verification(VERIFICATION, {
    horizons: horizons.map((steps) => ({ steps, spanMs: null })),
    ...{ levels: QUANTILES, middle: middleOf(QUANTILES), inputSize: TICK_INPUT_SIZE },
  });
}

function forecastLine(point: {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly row: number;
  readonly output: RowOutput;
  readonly model: string;
  readonly horizon: number;
  /** Log returns, rising. */
  readonly returns: Float64Array;
}): string {
  const { shard, chunk, row, output, model, horizon, returns } = point;
  const { context, contextAt } = output;
  const price = context[contextAt + TICK_CONTEXT.price];
  const [r10, r50, r90] = returns;
  const [q10, q50, q90] = [r10, r50, r90].map((r) => price * Math.exp(r));
  const target = Math.round(chunk.timeMs[row] + horizon * context[contextAt + TICK_CONTEXT.gapMs]);
  const series = escapeTag(chunk.keys[chunk.keyOf[row]]);
  return (
    `forecast,horizon=${horizon},model=${model},series=${series},stream=ticks ` +
    `last=${price},offset=${chunk.offsets[row]}i,partition=${shard.partition}i,q10=${q10},q50=${q50},q90=${q90},` +
    `r10=${r10},r50=${r50},r90=${r90},target=${target}i ${pointTime(chunk, row)}`
  );
}
