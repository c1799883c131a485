import { middleOf, writeQuantiles } from '@tideline/nn';
import type { Declaration, QuantileOutput } from './declaration.ts';
import { headOf } from './point-head.ts';
import type { RowLines } from './points.ts';
import type { RowValues } from './row-values.ts';

/** `0.1` -> `10`, `0.025` -> `2.5`: what stands behind the q of a quantile's field. */
export function levelName(level: number): string {
  return String(Number((level * 100).toPrecision(12)));
}

/**
 * A point a horizon: `last` (the value that the forecast starts from), its quantiles in the value's own space (`q10`) and as log returns (`r10`), and
 * `target`, the time that it speaks of by the mean time between two steps. What `outputs` hold of a horizon is read by nn's multi-quantile head: the
 * middle quantile, then the distances down, then up.
 */
export function quantileLines(
  declaration: Declaration,
  output: QuantileOutput,
  { contextAt, meanGapAt }: RowValues,
  modelName: string,
): RowLines {
  const { levels, horizons } = output;
  const heads = horizons.map((horizon) => headOf(declaration, { modelName, horizon: String(horizon) }));
  const lastAt = contextAt(output.last);
  const unitAt = output.unit === null ? -1 : contextAt(output.unit);
  const names = levels.map(levelName);
  const places = { count: levels.length, middle: middleOf(levels) };
  const returns = new Float64Array(levels.length);
  return (key, chunk, row, out, tail, lines) => {
    const last = out.context[out.contextAt + lastAt];
    const unit = unitAt === -1 ? 1 : out.context[out.contextAt + unitAt];
    // Nothing to start from, or no unit yet: there is no forecast to tell of.
    if (!(last > 0) || !(unit > 0)) return;
    const meanGapMs = out.context[out.contextAt + meanGapAt];
    for (let h = 0; h < horizons.length; h += 1) {
      writeQuantiles(out.outputs, out.outputAt + h * levels.length, places, returns, 0);
      const width = unit * Math.sqrt(horizons[h]);
      let line = `${heads[h](key)} last=${last}`;
      for (let i = 0; i < names.length; i += 1) line += `,q${names[i]}=${last * Math.exp(returns[i] * width)}`;
      for (let i = 0; i < names.length; i += 1) line += `,r${names[i]}=${returns[i] * width}`;
      const gapMs = Number.isNaN(meanGapMs) ? 0 : horizons[h] * meanGapMs;
      lines.push(`${line},target=${Math.round(chunk.timeMs[row] + gapMs)}i${tail}`);
    }
  };
}
