/** Plots of probabilities against what came: MCC by month, reliability, hits against saying always yes. */
import { at, axisOf, escapeHtml, grid, LEFT, linePath, RIGHT, scaleOf, svg, timeLabels, WIDTH } from './plot.ts';
import type { ForecastTrack } from './result.ts';
import { binaryFigures } from './score-returns.ts';

/** One forecast and what came of it. */
export interface EventRow {
  /** Epoch ms. */
  readonly cameMs: number;
  readonly probability: number;
  readonly came: boolean;
}

/** Forecasts of all tracks that are of events, in the order in which their truths came; without those that nothing is known of. */
export function eventRows(tracks: readonly ForecastTrack[]): EventRow[] {
  const rows = tracks.flatMap(({ event, forecast, truth }) =>
    event === undefined
      ? []
      : Array.from(event.cameMs, (cameMs, i) => ({
          cameMs,
          probability: forecast[i],
          came: truth[i] === 1,
          y: truth[i],
        })),
  );
  return rows
    .filter(({ probability, y }) => Number.isFinite(probability) && Number.isFinite(y))
    .map(({ cameMs, probability, came }) => ({ cameMs, probability, came }))
    .sort((a, b) => a.cameMs - b.cameMs);
}

export interface MonthMcc {
  /** Such as 2015-10. */
  readonly month: string;
  readonly rows: number;
  readonly mcc: number;
}

/** Matthews' correlation coefficient of each month in which truths came; "yes" is a probability above 0.5. */
export function mccByMonth(rows: readonly EventRow[]): MonthMcc[] {
  const months = new Map<string, EventRow[]>();
  for (const row of rows) {
    const month = new Date(row.cameMs).toISOString().slice(0, 7);
    const of = months.get(month);
    if (of) of.push(row);
    else months.set(month, [row]);
  }
  return [...months].map(([month, of]) => {
    const { mcc } = binaryFigures(of.map(({ probability, came }) => ({ said: probability > 0.5, is: came })));
    return { month, rows: of.length, mcc };
  });
}

export interface ReliabilityPoint {
  /** Mean probability said, and how often it came. */
  readonly said: number;
  readonly came: number;
  readonly rows: number;
}

/** Parts of as many forecasts each, by rising probability: probabilities that lie close together would share one bin of equal width. */
export function reliabilityByRank(rows: readonly EventRow[], parts: number): ReliabilityPoint[] {
  const sorted = [...rows].sort((a, b) => a.probability - b.probability);
  const count = Math.min(parts, sorted.length);
  return Array.from({ length: count }, (_, part) => {
    const of = sorted.slice(
      Math.floor((part * sorted.length) / count),
      Math.floor(((part + 1) * sorted.length) / count),
    );
    const mean = (value: (row: EventRow) => number): number => of.reduce((sum, row) => sum + value(row), 0) / of.length;
    return { said: mean(({ probability }) => probability), came: mean(({ came }) => (came ? 1 : 0)), rows: of.length };
  });
}

export interface HitLine {
  readonly timeMs: readonly number[];
  /** Hits so far less those of saying always yes, at the end of each moment at which truths came. */
  readonly ahead: readonly number[];
}

export function hitsAhead(rows: readonly EventRow[]): HitLine {
  const ends = new Map<number, number>();
  let sum = 0;
  for (const { cameMs, probability, came } of rows) {
    sum += (probability > 0.5 === came ? 1 : 0) - (came ? 1 : 0);
    ends.set(cameMs, sum);
  }
  return { timeMs: [...ends.keys()], ahead: [...ends.values()] };
}

const RELIABILITY_PARTS = 10;

/** The three plots as figures; '' where no track is of events. */
export function eventFigures(tracks: readonly ForecastTrack[]): string {
  const rows = eventRows(tracks);
  if (rows.length === 0) return '';
  const name = tracks.find(({ event }) => event)?.event?.name ?? '';
  const figure = (caption: string, plot: string): string =>
    `<figure><figcaption>${escapeHtml(caption)}</figcaption>${plot}</figure>`;
  return (
    figure('MCC by month over all series; lines: one standard error of as many independent truths', mccPlot(rows)) +
    figure(
      `Reliability of the probability of '${name}' in ${RELIABILITY_PARTS} equal parts; dashed: it comes as often as said; lines: one standard error`,
      reliabilityPlot(rows),
    ) +
    figure(`Hits so far, less those of saying always '${name}'`, hitsPlot(rows))
  );
}

function mccPlot(rows: readonly EventRow[], height = 200): string {
  const months = mccByMonth(rows);
  const errors = months.map((one) => 1 / Math.sqrt(one.rows));
  const axis = axisOf([[0], months.map(({ mcc }, i) => mcc + errors[i]), months.map(({ mcc }, i) => mcc - errors[i])]);
  const y = scaleOf(axis, height);
  const step = (WIDTH - LEFT - RIGHT) / months.length;
  const width = Math.min(step - 8, 90);
  const bars = months.map(({ month, mcc, rows: count }, i) => {
    const middle = LEFT + (i + 0.5) * step;
    const top = y(Math.max(0, mcc));
    return (
      `<rect class="bar" x="${at(middle - width / 2)}" y="${at(top)}" width="${at(width)}" height="${at(Math.abs(y(0) - y(mcc)))}">` +
      `<title>${month}: ${mcc.toFixed(4)}, ${count} forecasts</title></rect>${whisker(middle, y(mcc - errors[i]), y(mcc + errors[i]))}` +
      `<text x="${at(middle)}" y="${height - 8}" text-anchor="middle">${month} (${count})</text>`
    );
  });
  const zero = `<line class="zero" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(0))}" y2="${at(y(0))}"/>`;
  return svg(height, 'MCC by month', `${grid(axis, height)}${bars.join('')}${zero}`);
}

function reliabilityPlot(rows: readonly EventRow[], height = 280): string {
  const points = reliabilityByRank(rows, RELIABILITY_PARTS);
  const errors = points.map(({ came, rows: count }) => Math.sqrt(Math.max(came * (1 - came), 1e-4) / count));
  const saids = axisOf([points.map(({ said }) => said)]);
  const cames = axisOf([
    points.map(({ came }, i) => came + errors[i]),
    points.map(({ came }, i) => came - errors[i]),
    [saids.low, saids.high],
  ]);
  const y = scaleOf(cames, height);
  const x = (said: number): number => LEFT + ((said - saids.low) / (saids.high - saids.low)) * (WIDTH - LEFT - RIGHT);
  const ideal = `<line class="stated" x1="${at(x(saids.low))}" y1="${at(y(saids.low))}" x2="${at(x(saids.high))}" y2="${at(y(saids.high))}"/>`;
  const marks = points.map(
    ({ said, came, rows: count }, i) =>
      `${whisker(x(said), y(came - errors[i]), y(came + errors[i]))}<circle class="dot" cx="${at(x(said))}" cy="${at(y(came))}" r="4">` +
      `<title>said ${said.toFixed(3)}, came ${came.toFixed(3)}, ${count} forecasts</title></circle>`,
  );
  const ends = [saids.low, (saids.low + saids.high) / 2, saids.high].map(
    (said, i) =>
      `<text x="${at(x(said))}" y="${height - 8}" text-anchor="${['start', 'middle', 'end'][i]}">said ${said.toFixed(3)}</text>`,
  );
  return svg(height, 'Reliability', `${grid(cames, height)}${ideal}${marks.join('')}${ends.join('')}`);
}

function hitsPlot(rows: readonly EventRow[], height = 200): string {
  const { timeMs, ahead } = hitsAhead(rows);
  const axis = axisOf([[0], ahead]);
  const y = scaleOf(axis, height);
  const x = (i: number): number => LEFT + (i / Math.max(1, timeMs.length - 1)) * (WIDTH - LEFT - RIGHT);
  const zero = `<line class="zero" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(0))}" y2="${at(y(0))}"/>`;
  const line = `<path class="forecast" d="${linePath(ahead, x, y)}"/>`;
  return svg(height, 'Hits ahead of always yes', `${grid(axis, height)}${zero}${line}${timeLabels(timeMs, x, height)}`);
}

function whisker(x: number, low: number, high: number): string {
  return `<line class="error" x1="${at(x)}" x2="${at(x)}" y1="${at(low)}" y2="${at(high)}"/>`;
}
