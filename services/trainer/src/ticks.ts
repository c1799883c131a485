import {
  createModel,
  type EpochReport,
  type ModelCard,
  type ModelSpec,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import {
  createTickStream,
  generatedTicks,
  mulberry32,
  pinball,
  QUANTILES,
  quantilesOf,
  realPrices,
  TICK_CONTEXT,
  TICK_HORIZONS,
  tickLoss,
} from '@tideline/streams';
import { evaluate } from './evaluate.ts';
import { type SeriesRows, seriesRows } from './series-rows.ts';
import type { TrainedModel, TrainerOptions } from './trained-model.ts';

/** Shares of each series in time order: training, then validation (chooses the epoch), then test (reported only). */
const TRAIN_SHARE = 0.7;
const VALIDATION_SHARE = 0.15;
/** Long series are cut, so that an epoch has many sequences side by side. */
const SEGMENT_ROWS = 512;
const GENERATED = { symbols: 40, records: 24_000 } as const;
/** 10 % and 90 % quantiles of the standard normal. */
const Z90 = 1.2815515655446004;

/** Trains the tick model on the real prices that npm packages ship and on generated ticks, and scores it on the last part of each series. */
export function trainTicks(options: TrainerOptions): TrainedModel {
  const stream = createTickStream({ modelName: 'ticks-lstm' });
  const spec: ModelSpec = {
    name: 'ticks-lstm',
    cell: 'lstm',
    inputSize: stream.inputSize,
    hiddenSize: 32,
    layers: 1,
    outputSize: stream.outputSize,
  };
  const records = [...realPrices(), ...generatedTicks({ seed: options.seed + 1_000, ...GENERATED })];
  const series = seriesRows(stream, records);
  const part = (from: number, to: number): TrainingSequence[] =>
    series.flatMap((one) => segments(one, from, to, stream.inputSize, stream.contextSize));
  const result = trainRecurrent({
    ...{ spec, epochs: options.epochs, random: mulberry32(options.seed) },
    train: part(0, TRAIN_SHARE),
    validation: part(TRAIN_SHARE, TRAIN_SHARE + VALIDATION_SHARE),
    windowRows: 64,
    batchSequences: 16,
    learningRate: 3e-3,
    clipNorm: 1,
    patience: 5,
    onEpoch: options.onEpoch,
  });
  const model = createModel(spec, result.weights);
  const scores = score(series, model);
  return { model, card: card(model.digest, options.seed, result.history, scores) };
}

/** Rows [from, to) of a series, as shares of its length, cut into segments; a segment's target may lie behind its end but not behind the part's. */
function segments(
  one: SeriesRows,
  from: number,
  to: number,
  inputSize: number,
  contextSize: number,
): TrainingSequence[] {
  const end = Math.floor(one.rows * to);
  const found: TrainingSequence[] = [];
  for (let start = Math.floor(one.rows * from); start < end; start += SEGMENT_ROWS) {
    const rows = Math.min(SEGMENT_ROWS, end - start);
    const targets = new Float64Array(TICK_HORIZONS.length);
    found.push({
      inputs: one.inputs.subarray(start * inputSize, (start + rows) * inputSize),
      rows,
      loss(outputs, row, gradient) {
        TICK_HORIZONS.forEach((horizon, h) => {
          targets[h] = targetOf(one, start + row, horizon, end, contextSize);
        });
        return targets.every(Number.isNaN) ? null : tickLoss(outputs, targets, gradient);
      },
    });
  }
  return found;
}

/** Log return over the horizon in units of sigma * sqrt(horizon); NaN where the part ends before it. */
function targetOf(one: SeriesRows, row: number, horizon: number, end: number, contextSize: number): number {
  if (row + horizon >= end) return Number.NaN;
  const price = (r: number): number => one.context[r * contextSize + TICK_CONTEXT.price];
  const sigma = one.context[row * contextSize + TICK_CONTEXT.sigma];
  return Math.log(price(row + horizon) / price(row)) / (sigma * Math.sqrt(horizon));
}

interface Score {
  readonly pinball: number;
  /** Quantiles of a normal distribution with the running volatility around the last value. */
  readonly baselinePinball: number;
  /** Share of returns inside q10..q90; 0.8 is right. */
  readonly coverage80: number;
  readonly rows: number;
}

function score(series: readonly SeriesRows[], model: Parameters<typeof evaluate>[0]): Record<string, Score> {
  const contextSize = series[0].context.length / series[0].rows;
  const groups = {
    real: series.filter(({ key }) => !key.startsWith('GEN')),
    generated: series.filter(({ key }) => key.startsWith('GEN')),
  };
  const scores: Record<string, Score> = {};
  for (const [group, members] of Object.entries(groups))
    TICK_HORIZONS.forEach((horizon, h) => {
      let [loss, baseline, inside, rows] = [0, 0, 0, 0];
      for (const one of members) {
        const outputs = evaluate(model, one.inputs, one.rows);
        const start = Math.floor(one.rows * (TRAIN_SHARE + VALIDATION_SHARE));
        for (let row = start; row + horizon < one.rows; row += 1) {
          const y = targetOf(one, row, horizon, one.rows, contextSize);
          const q = quantilesOf(outputs, row * model.spec.outputSize + 3 * h);
          QUANTILES.forEach((quantile, i) => {
            loss += pinball(quantile, y, q[i]) / QUANTILES.length;
            baseline += pinball(quantile, y, [-Z90, 0, Z90][i]) / QUANTILES.length;
          });
          inside += y >= q[0] && y <= q[2] ? 1 : 0;
          rows += 1;
        }
      }
      scores[`${group}, horizon ${horizon}`] = {
        pinball: loss / rows,
        baselinePinball: baseline / rows,
        coverage80: inside / rows,
        rows,
      };
    });
  return scores;
}

function card(digest: string, seed: number, history: readonly EpochReport[], test: Record<string, Score>): ModelCard {
  return {
    name: 'ticks-lstm',
    digest,
    task: 'quantiles 0.1, 0.5, 0.9 of the log return 1 and 5 records ahead, in units of the running volatility',
    data: [
      {
        source: 'vega-datasets 3.2.1 (npm), sp500-2000.csv and stocks.csv',
        licence: 'BSD-3-Clause',
        range: '2000-01-01 to 2020-04-21',
        kind: 'real daily and monthly closes',
      },
      {
        source: '@observablehq/sample-datasets 1.0.1 (npm), aapl.csv',
        licence: 'ISC',
        range: '2013-05-13 to 2018-05-11',
        kind: 'real daily closes',
      },
      {
        source: 'libs/streams generatedTicks',
        range: `${GENERATED.records} records of ${GENERATED.symbols} symbols`,
        kind: 'generated: not real',
      },
    ],
    split:
      'each series in time order: first 70 % training, next 15 % validation (chooses the epoch), last 15 % test (reported only)',
    seed,
    epochs: history,
    test,
    units: 'pinball loss: mean over the three quantiles, in units of running volatility times sqrt(horizon)',
    limits:
      'Made to show the pipeline. It knows the price path alone and has seen few real series; it is no advice to trade.',
  };
}
