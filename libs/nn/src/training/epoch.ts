import { type Adam, normOf } from './adam.ts';
import type { WeightAverage } from './averaging.ts';
import type { TrainingNetwork } from './network.ts';
import type { SeededRandom } from './random.ts';
import { sequenceLabel, type TrainingSequence } from './sequences.ts';
import { TrainingError, type TrainingPlace } from './training-error.ts';
import { createBatch, type TrainingWindow, windowOf } from './window.ts';

export interface PassOptions {
  readonly network: TrainingNetwork;
  /** For messages. */
  readonly part: 'training' | 'validation';
  readonly epoch: number;
  /** As the options list them. */
  readonly sequences: readonly TrainingSequence[];
  /** In the order of this pass. */
  readonly order: readonly TrainingSequence[];
  readonly windowRows: number;
  readonly batchSequences: number;
  /** Null: evaluation. */
  readonly learning: Learning | null;
}

export interface Learning {
  readonly adam: Adam;
  readonly average: WeightAverage | null;
  readonly clipNorm: number;
  /** Of the dropout masks. */
  readonly random: SeededRandom;
  readonly dropout: boolean;
}

/** One pass over all sequences. Returns the mean loss of a row that counts. Throws TrainingError at the first value that is not finite. */
export function passOver(options: PassOptions): number {
  const { network, order, windowRows, batchSequences, learning } = options;
  let lossSum = 0;
  let rowSum = 0;
  for (let first = 0; first < order.length; first += batchSequences) {
    const batch = createBatch(order.slice(first, first + batchSequences));
    const sums = batch.order.map(() => 0);
    network.reset();
    if (learning?.dropout) network.drawSequenceMasks(learning.random);
    for (let from = 0; from < batch.rowsMax; from += windowRows) {
      const window = windowOf(batch, from, windowRows);
      if (learning?.dropout) network.drawRowMasks(learning.random, window);
      network.forward(window, learning?.dropout ?? false);
      // Sums in training start anew in each window, in evaluation they run over whole sequences: shipped cards were written so.
      if (learning) sums.fill(0);
      const rows = scoreWindow(options, window, sums);
      if (learning) for (const sum of sums) lossSum += sum;
      rowSum += rows;
      if (learning && rows > 0) learn(options, learning, window, rows);
      network.carry(window);
    }
    if (!learning) for (const sum of sums) lossSum += sum;
  }
  return lossSum / Math.max(1, rowSum);
}

/** Sets the gradients of the window's outputs and adds each sequence's loss to `sums`, in the caller's order. Returns the rows that count. */
function scoreWindow(options: PassOptions, window: TrainingWindow, sums: number[]): number {
  const { network, windowRows, learning } = options;
  if (network.spec.head?.scope === 'sequence') return scoreSequences(options, window, sums);
  const { outputSize } = network.spec;
  const outputs = new Float64Array(outputSize);
  const gradient = new Float64Array(outputSize);
  let counted = 0;
  window.batch.order.forEach((b, i) => {
    const sequence = window.batch.sequences[b];
    for (let t = 0; t < window.rows[b]; t += 1) {
      const at = (b * windowRows + t) * outputSize;
      for (let o = 0; o < outputSize; o += 1) {
        outputs[o] = network.outputs[at + o];
        gradient[o] = 0;
      }
      const loss = sequence.loss(outputs, window.from + t, gradient);
      if (loss !== null) {
        if (!Number.isFinite(loss)) throw broken(options, sequence, window.from + t, `the loss is ${loss}`);
        sums[i] += loss;
        counted += 1;
      }
      if (!learning) continue;
      for (let o = 0; o < outputSize; o += 1) {
        if (!Number.isFinite(gradient[o]))
          throw broken(options, sequence, window.from + t, `the loss's gradient of output ${o} is ${gradient[o]}`);
        network.outputGradients[at + o] = loss === null ? 0 : gradient[o];
      }
    }
  });
  return counted;
}

/** A head over the whole sequence: one loss, of the rows' mean, told as the last row's. The window holds the sequences. Returns those that count. */
function scoreSequences(options: PassOptions, window: TrainingWindow, sums: number[]): number {
  const { network, windowRows, learning } = options;
  const { outputSize } = network.spec;
  let counted = 0;
  window.batch.order.forEach((b, i) => {
    const sequence = window.batch.sequences[b];
    const rows = window.rows[b];
    const at = b * windowRows * outputSize;
    const outputs = new Float64Array(outputSize);
    for (let k = 0; k < rows * outputSize; k += 1) outputs[k % outputSize] += network.outputs[at + k];
    outputs.forEach((sum, o) => {
      outputs[o] = sum / rows;
    });
    const gradient = new Float64Array(outputSize);
    const loss = sequence.loss(outputs, rows - 1, gradient);
    if (loss !== null) {
      if (!Number.isFinite(loss)) throw broken(options, sequence, rows - 1, `the loss is ${loss}`);
      sums[i] += loss;
      counted += 1;
    }
    if (!learning) return;
    const bad = gradient.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1)
      throw broken(options, sequence, rows - 1, `the loss's gradient of output ${bad} is ${gradient[bad]}`);
    for (let k = 0; k < rows * outputSize; k += 1)
      network.outputGradients[at + k] = loss === null ? 0 : gradient[k % outputSize] / rows;
  });
  return counted;
}

function learn(options: PassOptions, learning: Learning, window: TrainingWindow, rows: number): void {
  const { network } = options;
  const { gradients, parameters } = network;
  gradients.fill(0);
  network.backward(window, learning.dropout);
  for (let i = 0; i < gradients.length; i += 1) gradients[i] /= rows;
  const norm = normOf(gradients);
  if (!Number.isFinite(norm)) {
    const sequence = window.batch.sequences[window.batch.order[0]];
    throw broken(options, sequence, window.from, `the gradient's norm over the window that starts there is ${norm}`);
  }
  // R. Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.
  learning.adam.update(parameters, gradients, norm > learning.clipNorm ? learning.clipNorm / norm : 1);
  learning.average?.update(parameters, learning.adam.steps);
}

function broken(
  { part, epoch, sequences }: PassOptions,
  sequence: TrainingSequence,
  row: number,
  what: string,
): TrainingError {
  const index = sequences.indexOf(sequence);
  const place: TrainingPlace = { epoch, sequence: index, row, kept: null };
  return new TrainingError(
    `Epoch ${epoch}, ${sequenceLabel(part, index, sequence)}, row ${row}: ${what}. Check the row's target, or lower the learning rate.`,
    place,
  );
}
