/** A backtest's result as JSON and CSV for programs. */
import { type BacktestResult, type ForecastTrack, reaches, spreadOf } from './result.ts';

/** Everything but the tracks, with each metric's mean, deviation and whether its target is reached. */
export function resultJson(result: BacktestResult): Record<string, unknown> {
  const { tracks: _, tables, ...rest } = result;
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
