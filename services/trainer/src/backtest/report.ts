import { eventFigures } from './event-plots.ts';
import { escapeHtml } from './plot.ts';
import { coveragePlot, trackPlot } from './report-plot.ts';
import type { BacktestResult, ForecastTrack, ResultTable } from './result.ts';
import { tableRows, targetText, verdict } from './result-text.ts';

const TRACKS_MAX = 8;
/** More points than this cannot be told apart; forecasts.csv has all. */
const PLOT_POINTS_MAX = 500;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5d6b7a; --line: #dde3ea; --paper: #fff;
  --band: #2f7de12e; --forecast: #2f7de1; --good: #1d8a4e; --bad: #c03a2b }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf1; --soft: #9aa8b6; --line: #2c3743; --paper: #131a21;
    --band: #5aa0ff3a; --forecast: #5aa0ff; --good: #4cc383; --bad: #ff7a6b } }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem } p { margin: .4rem 0 } .soft, figcaption { color: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left }
th { color: var(--soft); font-weight: 500 }
tr.ours td { font-weight: 650 } .reached { color: var(--good) } .missed { color: var(--bad) }
dl { display: grid; grid-template-columns: 6.5rem 1fr; gap: .25rem 1rem; margin: 1rem 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
figure { margin: 1.2rem 0 } svg { width: 100%; height: auto; display: block } svg text { font-size: 11px; fill: var(--soft) }
.grid { stroke: var(--line) } .band { fill: var(--band) } 
.truth { fill: none; stroke: var(--ink); stroke-width: 1.1 } .forecast { fill: none; stroke: var(--forecast); stroke-width: 1.6 }
.bar { fill: var(--band) } .stated { stroke: var(--forecast); stroke-width: 1.5; stroke-dasharray: 5 4 }
.zero, .error { stroke: var(--soft) } .dot { fill: var(--forecast) }
.key { display: inline-block; width: 1.4rem; height: .5rem; margin: 0 .3rem 0 .9rem; vertical-align: middle }
`;

/** The result as one HTML file that needs nothing else: tables, plots of forecasts against the truth, coverage over time. */
export function resultHtml(result: BacktestResult): string {
  const { name, task, tracks, tables, notes } = result;
  const values = tracks.filter(({ event }) => event === undefined);
  const shown = values.slice(0, TRACKS_MAX);
  const left = values.length - shown.length;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backtest of ${escapeHtml(name)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(name)}</h1><p class="soft">${escapeHtml(task)}</p>
${tables.map(tableHtml).join('\n')}
${notes.map((note) => `<p class="soft">${escapeHtml(note)}</p>`).join('')}
${tracks.length === 0 ? '' : '<h2>Forecasts of the first seed</h2>'}${eventFigures(tracks)}${shown.map(trackHtml).join('\n')}
${left > 0 ? `<p class="soft">${left} more series and horizons are in forecasts.csv.</p>` : ''}
<h2>Data and model</h2>${cardHtml(result)}
</body></html>
`;
}

function tableHtml(table: ResultTable): string {
  const head = table.metrics
    .map((metric) => `<th title="${targetText(metric)}">${escapeHtml(metric.name)}</th>`)
    .join('');
  const rows = tableRows(table).map(({ name, cells }) => {
    const isVerdict = name === '';
    const cell = (text: string, i: number): string =>
      `<td${isVerdict ? ` class="${verdict(table.metrics[i], table)}"` : ''}>${escapeHtml(text)}</td>`;
    return `<tr${name.startsWith('ours, mean') ? ' class="ours"' : ''}><td>${escapeHtml(name)}</td>${cells.map(cell).join('')}</tr>`;
  });
  const sources = table.published.flatMap(({ name, source }) =>
    source === undefined ? [] : [`<p class="soft">${escapeHtml(`${name}: ${source}.`)}</p>`],
  );
  return `<h2>${escapeHtml(table.title)}</h2><div class="scroll"><table><tr><th></th>${head}</tr>${rows.join('')}</table></div>${sources.join('')}`;
}

function trackHtml(track: ForecastTrack): string {
  const all = track.timeMs.length;
  const shown = newest(track, PLOT_POINTS_MAX);
  const part = all > PLOT_POINTS_MAX ? `, the last ${PLOT_POINTS_MAX} of ${all} forecasts` : '';
  const stated = track.interval ? `${Number((100 * track.interval.stated).toPrecision(4))} %` : '';
  const interval = track.interval ? `<span class="key" style="background:var(--band)"></span>${stated} interval` : '';
  const coverage = track.interval
    ? `<figcaption>Share of the truth inside the interval over all ${all} forecasts, in twelve parts; stated ${stated}</figcaption>${coveragePlot(track)}`
    : '';
  return (
    `<figure><figcaption>${escapeHtml(`${track.series}, ${track.horizon} ahead${part}`)}` +
    `<span class="key" style="background:var(--forecast)"></span>forecast<span class="key" style="background:var(--ink)"></span>truth${interval}</figcaption>` +
    `${trackPlot(shown)}${coverage}</figure>`
  );
}

function newest(track: ForecastTrack, count: number): ForecastTrack {
  const last = (values: ArrayLike<number>): number[] => Array.from(values).slice(-count);
  const { interval } = track;
  return {
    ...track,
    ...{ timeMs: last(track.timeMs), truth: last(track.truth), forecast: last(track.forecast) },
    ...(interval ? { interval: { ...interval, low: last(interval.low), high: last(interval.high) } } : {}),
  };
}

function cardHtml({ data, split, model }: BacktestResult): string {
  const refused = Object.entries(data.refused).map(([reason, count]): [string, string] => [
    'left out',
    `${count}: ${reason}`,
  ]);
  const files = data.files.map(({ file, sha256 }): [string, string] => ['file', `${file}, SHA-256 ${sha256}`]);
  const lines: [string, string][] = [
    ['range', `${data.from} to ${data.to}`],
    ['records', `${data.records} of ${data.series} series, ${data.steps} steps`],
    ...files,
    ...refused,
    ['split', split],
    ['model', JSON.stringify(model)],
  ];
  return `<dl>${lines.map(([term, text]) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`).join('')}</dl>`;
}
