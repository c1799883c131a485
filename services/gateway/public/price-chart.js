/** The live value, what the forecasts say of the time ahead, and what they had said of each record one record before. */
import { change, duration, price, time } from './format.js';
import { axis, createPlotFrame, timeAxis } from './plot-frame.js';

/** Columns of the plot's data. */
const X = 0;
const LAST = 1;
const PAST_LOW = 2;
const PAST_HIGH = 3;
const FAN_LOW = 4;
const FAN_MEDIAN = 5;
const FAN_HIGH = 6;
const COLUMNS = 7;

/** Rows (`{timeMs, last, forecasts: [{horizon, q10, q50, q90, targetMs}]}`, oldest first) as the plot's columns. */
export function priceColumns(rows) {
  const columns = Array.from({ length: COLUMNS }, () => []);
  const push = (values) => {
    for (let column = 0; column < COLUMNS; column += 1) columns[column].push(values[column] ?? null);
  };
  rows.forEach(({ timeMs, last }, i) => {
    const said = saidOf(rows, i);
    push({ [X]: timeMs, [LAST]: last, [PAST_LOW]: said?.q10, [PAST_HIGH]: said?.q90 });
  });
  const newest = rows[rows.length - 1];
  const end = columns[X].length - 1;
  columns[FAN_LOW][end] = columns[FAN_MEDIAN][end] = columns[FAN_HIGH][end] = newest.last;
  // Records of one instant leave no room ahead: a horizon is then drawn a little apart, so that the fan can be seen.
  const stepMs = Math.max((newest.timeMs - rows[0].timeMs) / rows.length / 4, 0.01);
  let at = newest.timeMs;
  for (const { q10, q50, q90, targetMs } of newest.forecasts) {
    at = Math.max(targetMs, at + stepMs);
    push({ [X]: at, [FAN_LOW]: q10, [FAN_MEDIAN]: q50, [FAN_HIGH]: q90 });
  }
  return columns;
}

/**
 * What had been said of row `i`: of one record ahead, the record before it; of a time ahead, the newest record whose nearest horizon speaks of a time that has
 * come.
 */
function saidOf(rows, i) {
  const before = rows[i - 1]?.forecasts[0];
  if (before === undefined || typeof before.horizon === 'number')
    return rows[i - 1]?.forecasts.find(({ horizon }) => horizon === 1);
  for (let j = i - 1; j >= 0; j -= 1) {
    const [nearest] = rows[j].forecasts;
    if (nearest !== undefined && nearest.targetMs <= rows[i].timeMs) return nearest;
  }
  return undefined;
}

function build(colour) {
  const none = { stroke: 'transparent', width: 0, points: { show: false } };
  const edge = { stroke: colour('median'), width: 0.8, points: { show: false } };
  return {
    series: [
      {},
      { stroke: colour('price'), width: 1.8, points: { show: false } },
      none,
      none,
      edge,
      { stroke: colour('median'), width: 2, dash: [5, 4], points: { show: true, size: 6, fill: colour('median') } },
      edge,
    ],
    bands: [
      { series: [PAST_HIGH, PAST_LOW], fill: colour('past') },
      { series: [FAN_HIGH, FAN_LOW], fill: colour('fan') },
    ],
    axes: [
      timeAxis(colour),
      axis(colour, { size: 68, values: (_plot, splits) => splits.map((value) => axisPrice(value, splits)) }),
    ],
    hooks: { drawClear: [(plot) => shadeAhead(plot, colour)] },
  };
}

/** As many decimals as the distance of the axis' lines needs. */
function axisPrice(value, splits) {
  const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
  let digits = 0;
  while (digits < 8 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits += 1;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A line at the newest record: what is right of it has not happened. */
function shadeAhead(plot, colour) {
  const { ctx, bbox, data } = plot;
  const now = data[LAST].findLastIndex((value) => value !== null);
  if (now < 0) return;
  const x = plot.valToPos(data[X][now], 'x', true);
  ctx.save();
  ctx.fillStyle = colour('ground');
  ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
  ctx.restore();
}

function read(columns, i) {
  const [x, last, pastLow, pastHigh, low, median, high] = columns.map((column) => column[i]);
  const span = columns[X][columns[X].length - 1] - columns[X][0];
  const at = time(x, span);
  if (last === null) return `${at} · median ${price(median)} · 10–90 % ${price(low)} to ${price(high)}`;
  const said = pastLow === null ? '' : ` · had been forecast ${price(pastLow)} to ${price(pastHigh)}`;
  return `${at} · ${price(last)}${said}`;
}

/** The sentence for who does not see the plot. */
export function priceText(name, rows) {
  const { timeMs, last, forecasts } = rows[rows.length - 1];
  const ahead = forecasts.map(({ horizon, q10, q50, q90, targetMs }) => {
    const inTime = duration(Math.max(0, targetMs - timeMs));
    const span = typeof horizon === 'string' ? inTime : `${horizon} record${horizon === 1 ? '' : 's'} (${inTime})`;
    return (
      `${span} ahead: median ${price(q50)}, ${change(last, q50)}, ` +
      `between ${price(q10)} and ${price(q90)} with 80 % probability`
    );
  });
  return `${name}: ${price(last)} at ${time(timeMs, 0)} UTC. ${ahead.join('. ')}.`;
}

export function createPriceChart(box) {
  const frame = createPlotFrame(box, { build, read });
  return {
    show: (rows) => frame.show(priceColumns(rows)),
    clear: frame.clear,
  };
}
