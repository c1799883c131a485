/** A backtest's result for programs: JSON, a model's card, and tables of its figures and forecasts. */
import type { Table } from '@tideline/adapters';
import type { ModelCard } from '@tideline/nn';
import { type BacktestResult, type Figures, type ForecastTrack, reaches, spreadOf } from './result.ts';

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

/** One row a figure: table, who, seed, metric, value. Baselines and published results have no seed. */
export function figuresTable({ tables }: BacktestResult): Table {
  const rows: { table: string; who: string; seed: number; metric: string; value: number }[] = [];
  for (const { title: table, seeds, baselines, published } of tables) {
    const add = (who: string, seed: number, figures: Figures): void => {
      for (const [metric, value] of Object.entries(figures)) rows.push({ table, who, seed, metric, value });
    };
    for (const { seed, figures } of seeds) add('ours', seed, figures);
    for (const { name, figures } of baselines) add(name, Number.NaN, figures);
    for (const { name, figures } of published) add(`published: ${name}`, Number.NaN, figures);
  }
  return [
    { name: 'table', kind: 'text', values: rows.map(({ table }) => table) },
    { name: 'who', kind: 'text', values: rows.map(({ who }) => who) },
    { name: 'seed', kind: 'number', values: rows.map(({ seed }) => seed) },
    { name: 'metric', kind: 'text', values: rows.map(({ metric }) => metric) },
    { name: 'value', kind: 'number', values: rows.map(({ value }) => value) },
  ];
}

/** One row a forecast: series, horizon, time, forecast, the interval where there is one, truth. */
export function forecastsTable({ tracks }: BacktestResult): Table {
  const numbers = (of: (track: ForecastTrack) => ArrayLike<number> | undefined): Float64Array => {
    const all = new Float64Array(tracks.reduce((sum, { timeMs }) => sum + timeMs.length, 0)).fill(Number.NaN);
    let at = 0;
    for (const track of tracks) {
      const values = of(track);
      if (values) all.set(Array.from(values), at);
      at += track.timeMs.length;
    }
    return all;
  };
  const texts = (of: (track: ForecastTrack) => string): string[] =>
    tracks.flatMap((track) => Array.from(track.timeMs, () => of(track)));
  return [
    { name: 'series', kind: 'text', values: texts(({ series }) => series) },
    { name: 'horizon', kind: 'text', values: texts(({ horizon }) => horizon) },
    { name: 'time', kind: 'time', values: numbers(({ timeMs }) => timeMs) },
    { name: 'forecast', kind: 'number', values: numbers(({ forecast }) => forecast) },
    { name: 'low', kind: 'number', values: numbers(({ interval }) => interval?.low) },
    { name: 'high', kind: 'number', values: numbers(({ interval }) => interval?.high) },
    { name: 'truth', kind: 'number', values: numbers(({ truth }) => truth) },
  ];
}
