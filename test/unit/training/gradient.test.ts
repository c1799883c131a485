import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CellKind,
  createBatch,
  createModel,
  createReferenceEngine,
  createSequenceModel,
  type Dropout,
  type EmbeddingSpec,
  embeddingOf,
  type GruReset,
  initWeights,
  type ModelSpec,
  type ProductsChoice,
  type RowEntries,
  SeededRandom,
  TrainingNetwork,
  type TrainingSequence,
  trainRecurrent,
  windowOf,
} from '@tideline/nn';

/** Of three sequences side by side: the window is longer than two of them. */
const ROWS = [3, 4, 1] as const;
const WINDOW_ROWS = 4;
const STEP = 1e-5;

interface Form {
  readonly cell: CellKind;
  readonly gruReset?: GruReset;
  readonly layerNorm?: boolean;
  readonly peephole?: boolean;
  readonly embedding?: EmbeddingSpec;
  readonly inputLayer?: number;
  readonly inputActivation?: 'relu';
  readonly skipConnection?: boolean;
  readonly bidirectional?: boolean;
}

const FORMS: Readonly<Record<string, Form>> = {
  rnn: { cell: 'rnn' },
  lstm: { cell: 'lstm' },
  gru: { cell: 'gru' },
  'gru with the reset before': { cell: 'gru', gruReset: 'before' },
  'lstm with peepholes': { cell: 'lstm', peephole: true },
  'gru with an input layer': { cell: 'gru', inputLayer: 4 },
  'gru with a rectified input layer and a skip': {
    ...{ cell: 'gru', inputLayer: 5, inputActivation: 'relu', skipConnection: true },
  },
  'lstm with a skip': { cell: 'lstm', skipConnection: true },
  'lstm with an input layer and a skip': { cell: 'lstm', inputLayer: 3, skipConnection: true },
  'gru with an embedding': { cell: 'gru', embedding: { buckets: 4, size: 1 } },
  'lstm with an embedding and a skip': { cell: 'lstm', embedding: { buckets: 3, size: 2 }, skipConnection: true },
  'gru with an embedding, an input layer and a skip': {
    ...{ cell: 'gru', embedding: { buckets: 4, size: 1 }, inputLayer: 3, skipConnection: true },
  },
  'bidirectional lstm': { cell: 'lstm', bidirectional: true },
  'bidirectional gru with an embedding': { cell: 'gru', embedding: { buckets: 4, size: 1 }, bidirectional: true },
  'layer-normalised rnn': { cell: 'rnn', layerNorm: true },
  'layer-normalised lstm': { cell: 'lstm', layerNorm: true },
  'layer-normalised gru': { cell: 'gru', layerNorm: true },
  'layer-normalised gru with the reset before': { cell: 'gru', gruReset: 'before', layerNorm: true },
};

const DROPOUTS: Readonly<Record<string, Dropout>> = {
  'of the inputs': { inputs: 0.4 },
  'between the layers': { betweenLayers: 0.4 },
  'before the head': { beforeHead: 0.4 },
  'on the recurrent way': { recurrent: 0.4 },
  'at all places': { entries: 0.3, inputs: 0.3, betweenLayers: 0.3, beforeHead: 0.3, recurrent: 0.3 },
};

function specOf(form: Form): ModelSpec {
  return { name: 'toy', ...form, inputSize: 2, hiddenSize: 3, layers: 2, outputSize: 2 };
}

function sequencesOf(spec: ModelSpec, random: SeededRandom): TrainingSequence[] {
  return ROWS.map((rows) => {
    const inputs = Float32Array.from({ length: rows * spec.inputSize }, () => 2 * random.next() - 1);
    const targets = Float32Array.from({ length: rows * spec.outputSize }, () => 2 * random.next() - 1);
    return {
      inputs,
      rows,
      ...(spec.embedding ? { entries: entriesOf(rows, spec.embedding.buckets, random) } : {}),
      loss(outputs, row, gradient) {
        // One row counts nothing: its gradient must not leak in.
        if (row === 2) return null;
        let sum = 0;
        outputs.forEach((output, o) => {
          const error = output - targets[row * spec.outputSize + o];
          gradient[o] = error;
          sum += (error * error) / 2;
        });
        return sum;
      },
    };
  });
}

/** None, one or several entries a row, some of them twice. */
function entriesOf(rows: number, buckets: number, random: SeededRandom): RowEntries {
  const counts = Array.from({ length: rows }, (_, row) => (row * 3) % 5);
  const starts = Uint32Array.from({ length: rows + 1 }, (_, row) => counts.slice(0, row).reduce((a, b) => a + b, 0));
  return { starts, entries: Uint32Array.from({ length: starts[rows] }, () => Math.floor(random.next() * buckets)) };
}

/** Compares every gradient of a window in the middle of carried states with the slope that finite differences measure. */
function checkGradients(form: Form, dropout: Dropout = {}): void {
  const random = new SeededRandom(7);
  const spec = specOf(form);
  const sequences = sequencesOf(spec, random);
  const batch = createBatch(sequences);
  const window = windowOf(batch, 0, WINDOW_ROWS);
  const weights = initWeights(spec, () => random.next());
  const network = new TrainingNetwork({ spec, weights, batchSequences: 4, windowRows: WINDOW_ROWS, dropout });
  const masked = Object.keys(dropout).length > 0;
  network.drawSequenceMasks(random);
  network.drawRowMasks(random, window);
  const start = network.parameters.slice();
  // States before the window that do not depend on the weights that are moved; only `carry` changes them.
  const earlier = windowOf(createBatch(sequencesOf(spec, random)), 0, 2);
  network.forward(earlier, false);
  network.carry(earlier);
  const lossOf = (): number => {
    network.forward(window, masked);
    let sum = 0;
    batch.sequences.forEach((sequence, b) => {
      for (let t = 0; t < window.rows[b]; t += 1) {
        const at = (b * WINDOW_ROWS + t) * spec.outputSize;
        const gradient = network.outputGradients.subarray(at, at + spec.outputSize).fill(0);
        sum += sequence.loss(network.outputs.subarray(at, at + spec.outputSize), t, gradient) ?? 0;
      }
    });
    return sum;
  };
  lossOf();
  network.gradients.fill(0);
  network.backward(window, masked);
  const gradients = network.gradients.slice();
  for (let i = 0; i < start.length; i += 1) {
    const at = (steps: number): number => {
      network.parameters[i] = start[i] + steps * STEP;
      return lossOf();
    };
    // A norm of values that hardly differ bends so much that two points are not enough.
    const slope = form.layerNorm
      ? (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * STEP)
      : (at(1) - at(-1)) / (2 * STEP);
    network.parameters[i] = start[i];
    assert.ok(
      Math.abs(slope - gradients[i]) <= 1e-7 * Math.max(1, Math.abs(slope)),
      `parameter ${i}: ${gradients[i]} against ${slope}`,
    );
  }
  assert.ok(gradients.some((value) => value !== 0));
}

for (const [name, form] of Object.entries(FORMS)) {
  test(`every gradient of a two-layer ${name} is the slope that finite differences measure`, () => {
    checkGradients(form);
  });

  // Where the masks are does not depend on the cell: one cell has them one by one, each has all of them.
  for (const [place, dropout] of Object.entries(DROPOUTS).slice(name === 'lstm' ? 0 : -1))
    test(`with dropout ${place} and its masks held fixed, every gradient of a ${name} is the measured slope`, () => {
      checkGradients(form, dropout);
    });

  // Its windows are whole sequences: the test below.
  if (form.bidirectional) continue;
  test(`the forward pass of training gives what the reference engine gives for a ${name}, to float32's rounding of its states, over carried windows`, () => {
    const random = new SeededRandom(11);
    const spec = { ...specOf(form), hiddenSize: 16 };
    const rows = 120;
    const inputs = Float32Array.from({ length: rows * spec.inputSize }, () => 2 * random.next() - 1);
    const model = createModel(
      spec,
      initWeights(spec, () => random.next()),
    );
    const entries = spec.embedding ? entriesOf(rows, spec.embedding.buckets, random) : null;
    const gathered = inputs.slice();
    for (let row = 0; entries && row < rows; row += 1)
      embeddingOf(model)?.gather(
        [...entries.entries.subarray(entries.starts[row], entries.starts[row + 1])],
        gathered,
        (row + 1) * spec.inputSize - (spec.embedding?.size ?? 0),
      );
    const expected = new Float32Array(rows * spec.outputSize);
    const engine = createReferenceEngine(model, { slotsMax: 1 });
    engine.run({
      slot: engine.allocate(),
      rows: Uint32Array.from({ length: rows }, (_, row) => row),
      inputs: gathered,
      outputs: expected,
    });
    // A norm makes more of a difference.
    const tolerance = form.layerNorm ? 1e-5 : 1e-6;
    const found = trainingOutputs({ spec, weights: model.weights, inputs, entries, products: 'auto' });
    found.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) <= tolerance, `output ${i}: ${value} against ${expected[i]}`);
    });
  });
}

/** Outputs of one sequence in windows of 50 rows. */
function trainingOutputs(options: {
  readonly spec: ModelSpec;
  readonly weights: ReturnType<typeof initWeights>;
  readonly inputs: Float32Array;
  readonly entries: RowEntries | null;
  readonly products: ProductsChoice;
}): Float64Array {
  const { spec, weights, inputs, entries, products } = options;
  const rows = inputs.length / spec.inputSize;
  const found = new Float64Array(rows * spec.outputSize);
  const network = new TrainingNetwork({ spec, weights, batchSequences: 1, windowRows: 50, products });
  const batch = createBatch([{ inputs, rows, ...(entries ? { entries } : {}), loss: () => 0 }]);
  for (let from = 0; from < rows; from += 50) {
    const window = windowOf(batch, from, 50);
    network.forward(window, false);
    found.set(network.outputs.subarray(0, window.rows[0] * spec.outputSize), from * spec.outputSize);
    network.carry(window);
  }
  return found;
}

test('a bidirectional network trained over whole sequences, with one loss a sequence, gives what its sequence model gives', async () => {
  const random = new SeededRandom(5);
  const head = { kind: 'linear', scope: 'sequence' } as const;
  const spec: ModelSpec = { ...specOf({ cell: 'lstm', bidirectional: true }), outputSize: 1, hiddenSize: 4, head };
  // Whether the first value or the last one is above the other: no direction knows it alone before its end.
  const sequences = Array.from({ length: 60 }, (_, i): TrainingSequence & { readonly target: number } => {
    const rows = 2 + (i % 4);
    const inputs = Float32Array.from({ length: rows * 2 }, () => 2 * random.next() - 1);
    const target = inputs[0] > inputs[2 * (rows - 1)] ? 1 : -1;
    const loss = (outputs: Float64Array, row: number, gradient: Float64Array): number => {
      assert.equal(row, rows - 1);
      gradient[0] = outputs[0] - target;
      return gradient[0] ** 2 / 2;
    };
    return { inputs, rows, target, loss };
  });
  const options = {
    ...{ spec, train: sequences.slice(0, 50), validation: sequences.slice(50), epochs: 40, windowRows: 5 },
    ...{ batchSequences: 8, learningRate: 2e-2, clipNorm: 1, patience: 40, seed: 3 },
  };
  const { weights, history } = await trainRecurrent(options);
  const best = Math.min(...history.map(({ validationLoss }) => validationLoss));
  const model = createSequenceModel(createModel(spec, weights));
  let sum = 0;
  for (const { inputs, target } of options.validation as typeof sequences)
    sum += ((await model.run(inputs)).outputs[0] - target) ** 2 / 2;
  assert.ok(Math.abs(sum / 10 - best) < 1e-4, `${sum / 10} against ${best}`);
  assert.ok(best < 0.25, `${best}: always saying 0 gives 0.5`);
  await assert.rejects(trainRecurrent({ ...options, windowRows: 4 }), /longest has 5 rows, but windowRows is 4/);
});
