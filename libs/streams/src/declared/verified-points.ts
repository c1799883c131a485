import { middleOf } from '@tideline/nn';
import { escapeTag, type OutputState, type PointLines, pointSubNs } from '@tideline/pipeline';
import { horizonName, spanMsOf } from '../verification/options.ts';
import { beginRow, emptyRow, Verification } from '../verification/verification.ts';
import type { Declaration, QuantileOutput } from './declaration.ts';
import type { PointRow } from './points.ts';
import type { RowValues } from './row-values.ts';

/** Corrects the quantiles, log returns, of the present row's forecast of horizon `h` in place and keeps it until its truth is known. `width`: of its unit. */
export type TakeForecast = (h: number, quantiles: Float64Array, width: number) => void;

export interface VerifiedPoints {
  readonly outputState: OutputState;
  /** Begins a row: what has come true with it is scored. */
  readonly settle: (row: PointRow) => void;
  readonly take: TakeForecast;
  /** Points of measurement `score` that are due after the row. */
  readonly scores: (lines: PointLines, key: string, row: PointRow) => void;
}

/** What follows the forecasts of a declared stream; null where nothing does. */
export function verifiedPoints(
  { name, features }: Declaration,
  output: QuantileOutput,
  { contextAt }: RowValues,
  modelName: string,
): VerifiedPoints | null {
  const { verification: options, levels, horizons, per } = output;
  if (options === null) return null;
  const inputSize = features.filter(({ isInput }) => isInput).length;
  const verified = horizons.map((horizon) => {
    const spanMs = spanMsOf(horizon, per);
    return { steps: spanMs === null ? horizon : null, spanMs };
  });
  const verification = new Verification(options, { horizons: verified, levels, middle: middleOf(levels), inputSize });
  const valueAt = contextAt(output.of);
  const row = emptyRow();
  const tags = horizons.map(
    (horizon) => `score,horizon=${horizonName(horizon, per)},model=${escapeTag(modelName)},series=`,
  );
  const stream = escapeTag(name);
  return {
    outputState: verification.outputState,
    settle({ chunk, row: r, output: out }) {
      beginRow(row, { timeMs: chunk.timeMs[r], value: out.context[out.contextAt + valueAt] }, out);
      verification.settle(row);
    },
    take: (h, quantiles, width) => verification.take(row, h, quantiles, width),
    scores(lines, key, { shard, chunk, row: r }) {
      for (let h = 0; h < tags.length; h += 1) {
        const fields = verification.scoreFields(row, h);
        if (fields === null) continue;
        lines.text(
          `${tags[h]}${key},stream=${stream} ${fields},offset=${chunk.offsets[r]}i,partition=${shard.partition}i `,
        );
        lines.time(chunk.timeMs[r], pointSubNs(chunk, r));
        lines.end();
      }
    },
  };
}
