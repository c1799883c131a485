/** A backtest's result as text for people. */
import { type BacktestResult, type Metric, type ResultTable, reaches, spreadOf } from './result.ts';

/** Four digits that mean something. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  const size = Math.abs(value);
  return size >= 1000 ? value.toFixed(0) : size >= 1 ? value.toPrecision(4) : value.toFixed(4);
}

/** What is reached, as a word; '' where nothing was asked. */
export function verdict(metric: Metric, table: ResultTable): string {
  const reached = reaches(metric, spreadOf(table, metric.name));
  return reached === null ? '' : reached ? 'reached' : 'missed';
}

export function targetText({ better, target }: Metric): string {
  if (target === undefined) return '';
  if (typeof target !== 'number') return `${target[0]} to ${target[1]}`;
  return `${better === 'higher' ? 'at least' : 'at most'} ${target}`;
}

/** Rows of a table: each seed, their mean and deviation, baselines, published results, targets. Cells are texts. */
export function tableRows(table: ResultTable): { readonly name: string; readonly cells: readonly string[] }[] {
  const { metrics, seeds, baselines, published } = table;
  const named = (kind: string) => (one: ResultTable['baselines'][number]) => ({
    name: `${kind}: ${one.name}`,
    cells: metrics.map(({ name }) => figure(one.figures[name])),
  });
  const spreads = metrics.map(({ name }) => spreadOf(table, name));
  return [
    ...seeds.map(({ seed, figures }) => ({
      name: `seed ${seed}`,
      cells: metrics.map(({ name }) => figure(figures[name])),
    })),
    { name: `ours, mean of ${seeds.length}`, cells: spreads.map(({ mean }) => figure(mean)) },
    ...(seeds.length < 2
      ? []
      : [{ name: 'ours, deviation', cells: spreads.map(({ deviation }) => figure(deviation)) }]),
    ...baselines.map(named('baseline')),
    ...published.map(named('published')),
    ...(metrics.every(({ target }) => target === undefined)
      ? []
      : [
          { name: 'target', cells: metrics.map((metric) => targetText(metric) || '-') },
          { name: '', cells: metrics.map((metric) => verdict(metric, table) || '-') },
        ]),
  ];
}

export function resultText(result: BacktestResult): string {
  const { name, task, data, split, tables, notes } = result;
  const refused = Object.entries(data.refused).map(([reason, count]) => `  left out ${count}: ${reason}\n`);
  const head =
    `${name}: ${task}\n` +
    `data: ${data.from} to ${data.to}; ${data.records} records, ${data.series} series, ${data.steps} steps\n` +
    `${data.files.map(({ file, sha256 }) => `  ${file} sha256 ${sha256}\n`).join('')}${refused.join('')}split: ${split}\n`;
  return `${head}${tables.map(tableText).join('')}${notes.map((note) => `${note}\n`).join('')}`;
}

function tableText(table: ResultTable): string {
  const rows = tableRows(table);
  const titles = table.metrics.map(({ name }) => name);
  const first = Math.max(...rows.map(({ name }) => name.length));
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i].length)));
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(first)}${cells.map((cell, i) => `  ${cell.padStart(widths[i])}`).join('')}\n`;
  return `\n${table.title}\n${line('', titles)}${rows.map(({ name, cells }) => line(name, cells)).join('')}\n`;
}
