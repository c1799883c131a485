import type { ModelSpec } from '../model.ts';
import { entriesFit, type RowEntries } from './embedding.ts';
import { TrainingError } from './training-error.ts';

/** Loss of one row and its gradient with respect to the outputs; null: the row counts nothing. Called with zeros in `gradient`; keeps neither array. */
export type RowLoss = (outputs: Float64Array, row: number, gradient: Float64Array) => number | null;

/** One series in time order. */
export interface TrainingSequence {
  /** For messages. */
  readonly name?: string;
  /** [rows][inputSize] */
  readonly inputs: Float32Array;
  readonly rows: number;
  /** Of a spec with `embedding`: each row's entries in the table. What stands in the last inputs is then written over. */
  readonly entries?: RowEntries;
  readonly loss: RowLoss;
}

/** How messages name a sequence: its number in the options' list, and its name where it has one. */
export function sequenceLabel(part: string, index: number, sequence: TrainingSequence): string {
  return `${part} sequence ${index}${sequence.name === undefined ? '' : ` (${sequence.name})`}`;
}

/** Throws TrainingError that names the first sequence whose shape or values cannot be trained on. */
export function assertSequences(
  part: string,
  sequences: readonly TrainingSequence[],
  { inputSize, embedding }: Pick<ModelSpec, 'inputSize' | 'embedding'>,
): void {
  sequences.forEach((sequence, index) => {
    const { inputs, rows } = sequence;
    const label = sequenceLabel(part, index, sequence);
    const place = { epoch: 0, sequence: index, kept: null };
    if (!Number.isInteger(rows) || rows < 1 || inputs.length !== rows * inputSize)
      throw new TrainingError(
        `The ${label} has ${inputs.length} inputs for ${rows} rows of ${inputSize}: give rows * inputSize of them, and at least one row.`,
        { ...place, row: 0 },
      );
    if (embedding ? !entriesFit(sequence, embedding.buckets) : sequence.entries !== undefined)
      throw new TrainingError(
        embedding
          ? `The ${label} has no entries that fit it: give rows + 1 rising starts, and entries below ${embedding.buckets}.`
          : `The ${label} has entries, but the model has no embedding. Leave them out.`,
        { ...place, row: 0 },
      );
    const bad = inputs.findIndex((value) => !Number.isFinite(value));
    if (bad === -1) return;
    const row = Math.floor(bad / inputSize);
    throw new TrainingError(
      `Before epoch 1: the ${label} has ${inputs[bad]} in row ${row}, input ${bad % inputSize}. Leave the row out or mend it.`,
      { ...place, row },
    );
  });
}
