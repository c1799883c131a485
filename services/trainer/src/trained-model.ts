import type { EpochReport, Model, ModelCard, TrainingCheckpoint } from '@tideline/nn';

export interface TrainerOptions {
  readonly seed: number;
  /** At most. */
  readonly epochs: number;
  readonly onEpoch: (report: EpochReport) => void | Promise<void>;
  /** Keeps a checkpoint after every epoch. */
  readonly checkpoint?: (checkpoint: TrainingCheckpoint) => Promise<void>;
  /** Goes on from here. */
  readonly resume?: TrainingCheckpoint;
  /** Ends the training after the epoch that runs. */
  readonly signal?: AbortSignal;
}

export interface TrainedModel {
  readonly model: Model;
  readonly card: ModelCard;
}
