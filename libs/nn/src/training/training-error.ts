import type { ModelWeights } from '../model.ts';

/** Where training broke off. */
export interface TrainingPlace {
  /** 0: before the first. */
  readonly epoch: number;
  /** Number of the sequence in the options' list. */
  readonly sequence: number;
  readonly row: number;
  /** Weights of the best epoch before; null where there was none. */
  readonly kept: ModelWeights | null;
}

/** Data, a loss or a gradient that is no finite number. Nothing of the broken epoch is kept. */
export class TrainingError extends Error implements TrainingPlace {
  readonly code = 'TRAINING_BROKEN';
  readonly epoch: number;
  readonly sequence: number;
  readonly row: number;
  readonly kept: ModelWeights | null;

  constructor(message: string, { epoch, sequence, row, kept }: TrainingPlace) {
    super(message);
    this.name = 'TrainingError';
    this.epoch = epoch;
    this.sequence = sequence;
    this.row = row;
    this.kept = kept;
  }
}
