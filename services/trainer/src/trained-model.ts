import type { EpochReport, Model, ModelCard } from '@tideline/nn';

export interface TrainerOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly onEpoch: (report: EpochReport) => void;
}

export interface TrainedModel {
  readonly model: Model;
  readonly card: ModelCard;
}
