/** Training of the call-volume model: quantiles of all horizons at once, and intervals widened on the days that chose the epoch. */
import {
  createModel,
  type EpochReport,
  type Model,
  type ModelSpec,
  type ModelWeights,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import type { Stream } from '@tideline/pipeline';
import { VOLUME_HORIZONS, VOLUME_LEVELS } from '@tideline/streams';
import { evaluate } from '../evaluate.ts';
import type { TrainerOptions } from '../trained-model.ts';
import {
  dayOfSlot,
  firstRowOf,
  type VolumeSeries,
  type VolumeSplit,
  volumeSequence,
  volumeTargets,
} from './volume-task.ts';

/** Chosen on validation days of calls-bank-2003. */
export const VOLUME_TRAINING = {
  learningRate: 4e-3,
  schedule: 'cosine',
  weightDecay: 1e-2,
  dropout: { beforeHead: 0.3 },
  clipNorm: 1,
} as const;
export const VOLUME_NETWORK = { cell: 'gru', hiddenSize: 32, layers: 1, skipConnection: true } as const;
/** Sequences side by side: one long history is cut into so many. */
const SEQUENCES_MIN = 4;
const BATCH_SEQUENCES = 4;
const WINDOW_ROWS = { least: 16, most: 84 } as const;
/** A distance is stretched by at most so much. */
const STRETCH_MAX = 2;
const SCORED_MIN = 50;

export interface VolumeTraining {
  readonly model: Model;
  readonly history: readonly EpochReport[];
}

export interface VolumeTrainerOptions extends TrainerOptions {
  readonly stream: Stream;
  readonly modelName: string;
  readonly series: readonly VolumeSeries[];
  readonly split: VolumeSplit;
}

/** Learns from the days before `split.validation`; the test days are not looked at. Throws what `trainRecurrent` throws. */
export async function trainVolume({
  stream,
  modelName,
  series,
  split,
  ...trainer
}: VolumeTrainerOptions): Promise<VolumeTraining> {
  const { inputSize, outputSize } = stream;
  const spec: ModelSpec = { name: modelName, ...VOLUME_NETWORK, inputSize, outputSize };
  const { weights, history } = await trainRecurrent({
    ...{ ...trainer, ...VOLUME_TRAINING, spec, patience: trainer.epochs },
    train: series.flatMap((one) => trainingSequences(one, split, Math.ceil(SEQUENCES_MIN / series.length))),
    validation: series.flatMap((one) => validationSequence(one, split)),
    ...{ batchSequences: BATCH_SEQUENCES, windowRows: windowRows(series) },
  });
  return { model: createModel(spec, calibrated(spec, weights, series, split)), history };
}

/** Half a day of the series with the most intervals. */
function windowRows(series: readonly VolumeSeries[]): number {
  const perDay = series.map((one) => {
    const days = new Set([...one.calls.keys()].map((slot) => dayOfSlot(one, slot)));
    return one.calls.size / days.size;
  });
  return Math.max(WINDOW_ROWS.least, Math.min(WINDOW_ROWS.most, Math.floor(Math.max(...perDay) / 2)));
}

function trainingSequences(
  series: VolumeSeries,
  { train, validation }: VolumeSplit,
  pieces: number,
): TrainingSequence[] {
  const first = firstRowOf(series, train);
  const end = firstRowOf(series, validation);
  const rows = Math.ceil((end - first) / pieces);
  const found: TrainingSequence[] = [];
  for (let from = first; from < end; from += rows)
    found.push(
      volumeSequence(series, { first: from, end: Math.min(from + rows, end) }, { from: train, to: validation }),
    );
  return found;
}

/** From the beginning, so that the state is there. */
function validationSequence(series: VolumeSeries, { validation, test }: VolumeSplit): TrainingSequence[] {
  const end = firstRowOf(series, test);
  return end === 0 ? [] : [volumeSequence(series, { first: 0, end }, { from: validation, to: test })];
}

/**
 * Weights whose q10 and q90 leave at most a tenth of the validation days' intervals below and above them: each distance times the quantile of what it missed
 * (Y. Romano, E. Patterson, E. Candes, "Conformalized Quantile Regression", NeurIPS 2019; as a factor). A
 * factor is a summand of the head's bias. None is below 1: twenty calm days are no promise of calm ones.
 */
function calibrated(
  spec: ModelSpec,
  weights: ModelWeights,
  series: readonly VolumeSeries[],
  { validation, test }: VolumeSplit,
): ModelWeights {
  const model = createModel(spec, weights);
  const said = series.map((one) => evaluate(model, one.one.inputs, one.one.rows));
  const headB = Float32Array.from(weights.headB);
  VOLUME_HORIZONS.forEach((_, h) => {
    const at = VOLUME_LEVELS.length * h;
    const ratios: [number[], number[]] = [[], []];
    series.forEach((one, s) => {
      const end = firstRowOf(one, test);
      for (let row = 0; row < end; row += 1) {
        const y = volumeTargets(one, row, validation, test)[h];
        if (Number.isNaN(y)) continue;
        const place = row * spec.outputSize + at;
        const above = y - said[s][place];
        ratios[0].push(-above / Math.exp(said[s][place + 1]));
        ratios[1].push(above / Math.exp(said[s][place + 2]));
      }
    });
    ratios.forEach((side, i) => {
      if (side.length < SCORED_MIN) return;
      const ratio = side.sort((a, b) => a - b)[Math.floor(VOLUME_LEVELS[2] * side.length)];
      headB[at + 1 + i] += Math.log(Math.max(1, Math.min(STRETCH_MAX, ratio)));
    });
  });
  return { ...weights, headB };
}
