import { middleOf, writeQuantiles } from '@tideline/nn';
import { normalScore, probabilityUp, volatilityOf } from '../verification/from-quantiles.ts';
import { horizonName, spanMsOf, stepsWithin } from '../verification/options.ts';
import type { Declaration, QuantileOutput } from './declaration.ts';
import { headOf, levelName } from './point-head.ts';
import type { PointWriter } from './points.ts';
import type { RowValues } from './row-values.ts';
import type { TakeForecast } from './verified-points.ts';

/**
 * A point a horizon: `last` (the value that the forecast starts from), its quantiles in the value's own space (`q10`) and as log returns (`r10`), and
 * `target`, the time that it speaks of by the mean time between two steps. What `outputs` hold of a horizon is read by nn's multi-quantile head: the
 * middle quantile, then the distances down, then up.
 */
export function quantileFields(
  declaration: Declaration,
  output: QuantileOutput,
  { contextAt, meanGapAt }: RowValues,
  { modelName, take }: { readonly modelName: string; readonly take: TakeForecast | null },
): PointWriter {
  const { levels, horizons, per } = output;
  const heads = horizons.map((horizon) => headOf(declaration, { modelName, horizon: horizonName(horizon, per) }));
  const lastAt = contextAt(output.last);
  const unitAt = output.unit === null ? -1 : contextAt(output.unit);
  const [prices, logs] = ['q', 'r'].map((kind) => levels.map((level) => `,${kind}${levelName(level)}=`));
  const places = { count: levels.length, middle: middleOf(levels) };
  const returns = new Float64Array(levels.length);
  const spans = horizons.map((horizon) => spanMsOf(horizon, per));
  const scores = Float64Array.from(levels, normalScore);
  const also = { up: output.also.includes('up'), volatility: output.also.includes('volatility') && levels.length > 1 };
  return (lines, key, { chunk, row, output: out }, h) => {
    const last = out.context[out.contextAt + lastAt];
    const unit = unitAt === -1 ? 1 : out.context[out.contextAt + unitAt];
    // Nothing to start from, or no unit yet: there is no forecast to tell of.
    if (!(last > 0) || !(unit > 0)) return false;
    const meanGapMs = out.context[out.contextAt + meanGapAt];
    writeQuantiles(out.outputs, out.outputAt + h * levels.length, places, returns, 0);
    const width = unit * Math.sqrt(stepsWithin(horizons[h], spans[h], meanGapMs));
    for (let i = 0; i < levels.length; i += 1) returns[i] *= width;
    if (take !== null) take(h, returns, width);
    heads[h](lines, key);
    lines.text(` last=${last}`);
    for (let i = 0; i < levels.length; i += 1) {
      lines.text(prices[i]);
      lines.text(String(last * Math.exp(returns[i])));
    }
    for (let i = 0; i < levels.length; i += 1) {
      lines.text(logs[i]);
      lines.text(String(returns[i]));
    }
    const gapMs = Number.isNaN(meanGapMs) ? 0 : horizons[h] * meanGapMs;
    lines.text(`,target=${Math.round(chunk.timeMs[row] + (spans[h] ?? gapMs))}i`);
    if (also.up) lines.text(`,up=${probabilityUp(scores, returns)}`);
    if (also.volatility) lines.text(`,volatility=${volatilityOf(scores, returns)}`);
    return true;
  };
}
