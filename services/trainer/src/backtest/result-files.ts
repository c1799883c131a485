/** A backtest's result as JSON and CSV for programs. */
import type { ModelCard } from '@tideline/nn';
import { type BacktestResult, type ForecastTrack, reaches, spreadOf } from './result.ts';

/** Everything but tracks and weights, with each metric's mean, deviation and whether its target is reached. */
export function resultJson(result: BacktestResult): Record<string, unknown> {
  const { tracks: _, trained: __, tables, ...rest } = result;
  return {
    ...rest,
    tables: tables.map((table) => ({
      ...table,
      ours: Object.fromEntries(
        table.metrics.map((metric) => {
          const { mean, deviation, seeds } = spreadOf(table, metric.name);
          return [metric.name, { mean, deviation, seeds, reached: reaches(metric, { mean, deviation, seeds }) }];
        }),
      ),
    })),
  };
}

/** What a trained model says of itself: data with checksums, split, settings, figures of all seeds. Throws RangeError where none was trained. */
export function resultCard(result: BacktestResult): ModelCard {
  const { trained } = result;
  if (trained === undefined) throw new RangeError('The backtest trained no model.');
  const { model, seed, declaration, words, epochs } = trained;
  const { name: recipe, task, data, split, model: settings, tables, notes } = resultJson(result);
  return {
    ...{ name: model.spec.name, digest: model.digest, ...(declaration === null ? {} : { declaration }) },
    ...(words === undefined ? {} : { words }),
    ...(epochs === undefined ? {} : { epochs }),
    ...{ recipe, task, data, split, seed, settings, test: tables, limits: notes },
  };
}

/** One line a figure: table, who, seed, metric, value. */
export function figuresCsv({ tables }: BacktestResult): string {
  const lines = tables.flatMap(({ title, seeds, baselines, published }) => [
    ...seeds.flatMap(({ seed, figures }) => Object.entries(figures).map((one) => [title, 'ours', seed, ...one])),
    ...baselines.flatMap(({ name, figures }) => Object.entries(figures).map((one) => [title, name, '', ...one])),
    ...published.flatMap(({ name, figures }) =>
      Object.entries(figures).map((one) => [title, `published: ${name}`, '', ...one]),
    ),
  ]);
  return csv([['table', 'who', 'seed', 'metric', 'value'], ...lines]);
}

/** One line a forecast: series, horizon, time, forecast, truth, and the interval where there is one. */
export function forecastsCsv({ tracks }: BacktestResult): string {
  return csv([['series', 'horizon', 'time', 'forecast', 'low', 'high', 'truth'], ...tracks.flatMap(trackLines)]);
}

function trackLines({ series, horizon, timeMs, truth, forecast, interval }: ForecastTrack): unknown[][] {
  return Array.from(timeMs, (ms, i) => [
    ...[series, horizon, new Date(ms).toISOString()],
    ...[forecast[i], interval?.low[i] ?? '', interval?.high[i] ?? '', truth[i]],
  ]);
}

function csv(lines: readonly (readonly unknown[])[]): string {
  const cell = (value: unknown): string => {
    const text = typeof value === 'number' && Number.isNaN(value) ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return lines.map((line) => `${line.map(cell).join(',')}\n`).join('');
}
