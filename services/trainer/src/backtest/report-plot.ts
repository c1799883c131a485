/** Plots of a report as SVG: no script, no library, sharp at any size. */
import type { ForecastTrack } from './result.ts';

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;

interface Axis {
  readonly low: number;
  readonly high: number;
}

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

function svg(height: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${content}</svg>`;
}

function axisOf(lines: readonly ArrayLike<number>[]): Axis {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const line of lines)
    for (let i = 0; i < line.length; i += 1) {
      if (!Number.isFinite(line[i])) continue;
      low = Math.min(low, line[i]);
      high = Math.max(high, line[i]);
    }
  if (!(low < high)) return { low: (Number.isFinite(low) ? low : 0) - 1, high: (Number.isFinite(high) ? high : 0) + 1 };
  const margin = 0.04 * (high - low);
  return { low: low - margin, high: high + margin };
}

function scaleOf({ low, high }: Axis, height: number): (value: number) => number {
  return (value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM);
}

function linePath(values: ArrayLike<number>, x: (i: number) => number, y: (value: number) => number): string {
  let path = '';
  let isOpen = false;
  for (let i = 0; i < values.length; i += 1) {
    const isKnown = Number.isFinite(values[i]);
    if (isKnown) path += `${isOpen ? 'L' : 'M'}${at(x(i))} ${at(y(values[i]))}`;
    isOpen = isKnown;
  }
  return path;
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

function grid(axis: Axis, height: number, text: (value: number) => string = shortNumber): string {
  const y = scaleOf(axis, height);
  return ticksOf(axis, height < 150 ? 2 : 5)
    .map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(value))}" y2="${at(y(value))}"/>` +
        `<text x="${LEFT - 8}" y="${at(y(value) + 4)}" text-anchor="end">${text(value)}</text>`,
    )
    .join('');
}

/** Round values inside the axis, about `count` of them. */
function ticksOf({ low, high }: Axis, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function timeLabels(timeMs: ArrayLike<number>, x: (i: number) => number, height: number): string {
  const n = timeMs.length;
  if (n === 0) return '';
  const isWithinDays = timeMs[n - 1] - timeMs[0] < 3 * 86_400_000;
  const text = (ms: number): string => {
    const iso = new Date(ms).toISOString();
    return isWithinDays ? iso.slice(5, 16).replace('T', ' ') : iso.slice(0, 10);
  };
  return [0, 1, 2, 3, 4]
    .map((part) => {
      const i = Math.round((part * (n - 1)) / 4);
      const anchor = part === 0 ? 'start' : part === 4 ? 'end' : 'middle';
      return `<text x="${at(x(i))}" y="${height - 8}" text-anchor="${anchor}">${text(timeMs[i])}</text>`;
    })
    .join('');
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function at(value: number): string {
  return value.toFixed(1);
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
