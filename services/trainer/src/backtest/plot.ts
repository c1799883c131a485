/** What all plots of a report are made of: SVG with no script and no library, sharp at any size. */

export const WIDTH = 960;
export const LEFT = 64;
export const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;

export interface Axis {
  readonly low: number;
  readonly high: number;
}

export function svg(height: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${content}</svg>`;
}

/** From the least to the greatest finite value, with a margin. */
export function axisOf(lines: readonly ArrayLike<number>[]): Axis {
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

/** From a value to its height in a plot. */
export function scaleOf({ low, high }: Axis, height: number): (value: number) => number {
  return (value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM);
}

/** A line with a hole wherever a value is not finite. */
export function linePath(values: ArrayLike<number>, x: (i: number) => number, y: (value: number) => number): string {
  let path = '';
  let isOpen = false;
  for (let i = 0; i < values.length; i += 1) {
    const isKnown = Number.isFinite(values[i]);
    if (isKnown) path += `${isOpen ? 'L' : 'M'}${at(x(i))} ${at(y(values[i]))}`;
    isOpen = isKnown;
  }
  return path;
}

/** Lines and labels at round values. */
export function grid(axis: Axis, height: number, text: (value: number) => string = shortNumber): string {
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

/** Five moments below the plot. */
export function timeLabels(timeMs: ArrayLike<number>, x: (i: number) => number, height: number): string {
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

/** A coordinate as text. */
export function at(value: number): string {
  return value.toFixed(1);
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
