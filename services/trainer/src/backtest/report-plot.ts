/** Plots of values against the truth. */
import { at, axisOf, grid, LEFT, linePath, RIGHT, scaleOf, svg, timeLabels, WIDTH } from './plot.ts';
import type { ForecastTrack } from './result.ts';

/** Forecast, interval and truth over time. */
export function trackPlot(track: ForecastTrack, height = 260): string {
  const { truth, forecast, interval, timeMs } = track;
  const n = timeMs.length;
  const axis = axisOf([truth, forecast, ...(interval ? [interval.low, interval.high] : [])]);
  const x = (i: number): number => LEFT + (n < 2 ? 0 : (i / (n - 1)) * (WIDTH - LEFT - RIGHT));
  const y = scaleOf(axis, height);
  const band = interval ? bandPath(interval.low, interval.high, x, y) : '';
  return svg(
    height,
    `Forecasts and truth of ${track.series}, ${track.horizon} ahead`,
    grid(axis, height) +
      timeLabels(timeMs, x, height) +
      `<path class="band" d="${band}"/><path class="truth" d="${linePath(truth, x, y)}"/><path class="forecast" d="${linePath(forecast, x, y)}"/>`,
  );
}

/** Share of truths inside the interval in each of `blocks` parts of the track, against what is stated. */
export function coveragePlot(track: ForecastTrack, blocks = 12, height = 120): string {
  const { interval, timeMs } = track;
  if (!interval) return '';
  const shares = coverageByBlock(track, blocks);
  const axis = { low: 0, high: 1 };
  const y = scaleOf(axis, height);
  const step = (WIDTH - LEFT - RIGHT) / shares.length;
  const bars = shares.map((share, i) =>
    Number.isNaN(share)
      ? ''
      : `<rect class="bar" x="${at(LEFT + i * step + 2)}" y="${at(y(share))}" width="${at(step - 4)}" height="${at(y(0) - y(share))}">` +
        `<title>${(100 * share).toFixed(1)} % inside</title></rect>`,
  );
  const stated = at(y(interval.stated));
  return svg(
    height,
    `Coverage of ${track.series} over time; stated ${100 * interval.stated} %`,
    `${grid(axis, height, (value) => `${Math.round(100 * value)} %`)}${bars.join('')}` +
      `<line class="stated" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${stated}" y2="${stated}"/>` +
      timeLabels(timeMs, (i) => LEFT + (i / Math.max(1, timeMs.length - 1)) * (WIDTH - LEFT - RIGHT), height),
  );
}

/** NaN where a block has no forecast. */
export function coverageByBlock({ truth, interval }: ForecastTrack, blocks: number): number[] {
  const n = truth.length;
  const count = Math.min(blocks, n);
  return Array.from({ length: count }, (_, block) => {
    let [inside, rows] = [0, 0];
    for (let i = Math.floor((block * n) / count); i < Math.floor(((block + 1) * n) / count); i += 1) {
      if (!interval || Number.isNaN(truth[i]) || Number.isNaN(interval.low[i])) continue;
      rows += 1;
      if (truth[i] >= interval.low[i] && truth[i] <= interval.high[i]) inside += 1;
    }
    return rows === 0 ? Number.NaN : inside / rows;
  });
}

/** One closed area for each run of rows that have an interval. */
function bandPath(
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  x: (i: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  for (let from = 0; from < low.length; from += 1) {
    if (!Number.isFinite(low[from])) continue;
    let end = from;
    while (end < low.length && Number.isFinite(low[end]) && Number.isFinite(high[end])) end += 1;
    for (let i = from; i < end; i += 1) path += `${i === from ? 'M' : 'L'}${at(x(i))} ${at(y(high[i]))}`;
    for (let i = end - 1; i >= from; i -= 1) path += `L${at(x(i))} ${at(y(low[i]))}`;
    path += 'Z';
    from = end;
  }
  return path;
}
