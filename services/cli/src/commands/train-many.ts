/** Trainings that are repeated: over seeds, over walk-forward folds. */
import type { EpochReport, ModelCard } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { isStreamFile, readStreamFile } from '@tideline/streams';
import {
  backtestStream,
  type MeanDeviation,
  readRecordFiles,
  resultCard,
  resultText,
  spreadOfFigures,
  type TrainedModel,
  type TrainerOptions,
} from '@tideline/trainer';
import { parseMap } from '../field-map.ts';
import type { DeclaredOptions } from './train-declared.ts';
import { type TrainProgress, trainProgress } from './train-progress.ts';

export interface Repeats {
  readonly seed: number;
  readonly seeds: number;
  readonly epochs: number;
}

/** What a repeated training says beside the model that is kept. */
export interface Repeated extends TrainedModel {
  /** For people. */
  readonly summary: string;
}

/**
 * Trains with each seed by the same data. The first seed's model is kept: it is the one that the command without `--seeds` makes, and nothing was chosen by
 * what came out. Its card has the mean and the deviation of every test figure over the seeds as `overSeeds`.
 */
export async function trainSeeds(
  train: (options: TrainerOptions) => Promise<TrainedModel>,
  { seed: first, seeds: count, epochs }: Repeats,
  more: Pick<TrainerOptions, 'signal' | 'checkpoint' | 'resume'>,
): Promise<Repeated> {
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const trained: TrainedModel[] = [];
  for (const seed of seeds) {
    const progress = trainProgress(epochs, count === 1 ? '' : `seed ${seed}: `);
    try {
      trained.push(await train({ ...more, seed, epochs, onEpoch: progress.onEpoch }));
    } finally {
      progress.stop();
    }
  }
  const [{ model, card }] = trained;
  if (count === 1) return { model, card, summary: '' };
  const figures = spreadOfFigures(trained.map((one) => one.card.test));
  return { model, card: { ...card, overSeeds: { seeds, test: figures } }, summary: spreadText(figures, count) };
}

function spreadText(figures: Readonly<Record<string, MeanDeviation>>, seeds: number): string {
  const lines = Object.entries(figures).map(
    ([name, { mean, deviation }]) => `  ${name}  ${mean.toPrecision(5)} ± ${deviation.toPrecision(2)}\n`,
  );
  return `Test over ${seeds} seeds, mean ± deviation:\n${lines.join('')}`;
}

export interface FoldOptions extends DeclaredOptions, Repeats {
  readonly folds: number;
}

/**
 * Walk-forward: each fold is trained on what lies before its validation and tested by what the pipeline itself emits after it, for every seed: the code of
 * `tideline backtest`. The model of the last fold and first seed is kept, with that comparison in its card. Throws ConfigError where the stream is not one
 * that a file declares.
 */
export async function trainFolds(stream: string, options: FoldOptions, signal: AbortSignal): Promise<Repeated> {
  const { data = [], map: parts = [], series: key, folds, seed, seeds, epochs, patience, learningRate } = options;
  if (!isStreamFile(stream))
    throw new ConfigError([
      `--folds is for streams that a file declares (.yaml, .json); '${stream}' has a split of its own. Leave --folds out.`,
    ]);
  if (data.length === 0)
    throw new ConfigError([`'${stream}' declares a stream: name the records to learn from, --data <file...>.`]);
  const { cell, hidden: hiddenSize, layers } = options;
  const map = parseMap(parts);
  const read = await readRecordFiles(data, { stream, map, ...(key === undefined ? {} : { key }) });
  const shown = foldProgress(epochs, folds);
  try {
    const result = await backtestStream({
      ...{ ...read, declaration: readStreamFile(stream), model: null, season: null },
      ...{ network: { cell, hiddenSize, layers }, epochs, patience, learningRate, folds, signal },
      seeds: Array.from({ length: seeds }, (_, i) => seed + i),
      ...{ onEpoch: shown.onEpoch, progress: shown.stop },
    });
    const { trained } = result;
    if (trained === undefined) throw new RangeError('The folds trained no model.');
    const card: ModelCard = { ...resultCard(result), ...(Object.keys(map).length === 0 ? {} : { map }) };
    return { model: trained.model, card, summary: resultText(result) };
  } finally {
    shown.stop();
  }
}

/** A bar, or lines, for each fold of each seed. */
function foldProgress(epochs: number, folds: number) {
  let open: { readonly label: string; readonly shown: TrainProgress } | null = null;
  return {
    onEpoch: async (report: EpochReport, { seed, fold }: { readonly seed: number; readonly fold: number }) => {
      const label = `seed ${seed}, fold ${fold} of ${folds}: `;
      if (open?.label !== label) {
        open?.shown.stop();
        open = { label, shown: trainProgress(epochs, label) };
      }
      await open.shown.onEpoch(report);
    },
    stop: (): void => {
      open?.shown.stop();
      open = null;
    },
  };
}
