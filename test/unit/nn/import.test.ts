/** Models of other programs come out as what those programs compute. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createReferenceEngine, type ImportedModel, importModel, type Model } from '@tideline/nn';

/** Absolute, on values of size 1, over nine carried steps. */
const TOLERANCE = 1e-6;
const FOLDER = fileURLToPath(new URL('../../../golden/import/', import.meta.url));

/** What PyTorch or Keras computed (`make.py`, `make_keras.py`); numbers flat, [sequence][step][...]. */
interface Expected {
  readonly sequences: number;
  readonly steps: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly states?: readonly number[];
}

const CASES: readonly { readonly file: string; readonly expected: string; readonly spec: string }[] = [
  { file: 'raw/weights.json', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'torch/lstm.safetensors', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'torch/lstm-float64.safetensors', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'torch/lstm-float16.safetensors', expected: 'lstm-float16', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'torch/lstm-bfloat16.safetensors', expected: 'lstm-bfloat16', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'torch/gru.safetensors', expected: 'gru', spec: 'gru 3 -> 5x2 -> 2' },
  { file: 'torch/rnn.safetensors', expected: 'rnn', spec: 'rnn 3 -> 5x2 -> 2' },
  { file: 'onnx/lstm-nodes.onnx', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'onnx/lstm-step.onnx', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'onnx/lstm-sequence.onnx', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'onnx/lstm-dynamo.onnx', expected: 'lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'onnx/gru-nodes.onnx', expected: 'gru', spec: 'gru 3 -> 5x2 -> 2 after' },
  { file: 'onnx/gru-step.onnx', expected: 'gru', spec: 'gru 3 -> 5x2 -> 2 after' },
  { file: 'onnx/gru-sequence.onnx', expected: 'gru', spec: 'gru 3 -> 5x2 -> 2 after' },
  { file: 'onnx/gru-before.onnx', expected: 'gru-before', spec: 'gru 3 -> 5x1 -> 2 before' },
  { file: 'onnx/gru-external.onnx', expected: 'gru-before', spec: 'gru 3 -> 5x1 -> 2 before' },
  { file: 'onnx/lstm-peephole.onnx', expected: 'lstm-peephole', spec: 'lstm 3 -> 5x1 -> 2 peephole' },
  { file: 'onnx/rnn-nodes.onnx', expected: 'rnn', spec: 'rnn 3 -> 5x2 -> 2' },
  { file: 'keras/lstm/model.json', expected: 'keras-lstm', spec: 'lstm 3 -> 5x2 -> 2' },
  { file: 'keras/gru-after', expected: 'keras-gru-after', spec: 'gru 3 -> 5x1 -> 2 after' },
  { file: 'keras/gru-before', expected: 'keras-gru-before', spec: 'gru 3 -> 5x1 -> 2 before' },
  { file: 'keras/rnn', expected: 'keras-rnn', spec: 'rnn 3 -> 5x1 -> 2' },
  { file: 'keras/tfjs-gru', expected: 'tfjs-gru', spec: 'gru 3 -> 5x2 -> 2 before' },
  { file: 'onnx/rnn-step-scaled.onnx', expected: 'rnn-step-scaled', spec: 'rnn 3 -> 5x1 -> 2' },
];

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(`${FOLDER}expected/${name}.json`, 'utf8')) as Expected;
}

function describe({ spec }: Model): string {
  const { cell, inputSize, hiddenSize, layers, outputSize, gruReset, peephole } = spec;
  return `${cell} ${inputSize} -> ${hiddenSize}x${layers} -> ${outputSize}${gruReset ? ` ${gruReset}` : ''}${peephole ? ' peephole' : ''}`;
}

function assertClose(actual: Float32Array, expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, `${what}: ${actual.length} values`);
  expected.forEach((value, i) => {
    assert(Math.abs(actual[i] - value) <= TOLERANCE, `${what}[${i}] is ${actual[i]}, expected ${value}.`);
  });
}

function assertComputes({ model }: ImportedModel, expected: Expected): void {
  const { sequences, steps } = expected;
  const engine = createReferenceEngine(model, { slotsMax: sequences });
  const inputs = Float32Array.from(expected.inputs);
  const outputs = new Float32Array(sequences * steps * model.spec.outputSize);
  const slots = Array.from({ length: sequences }, () => engine.allocate());
  slots.forEach((slot, n) => {
    void engine.run({ slot, rows: Uint32Array.from({ length: steps }, (_, t) => n * steps + t), inputs, outputs });
  });
  assertClose(outputs, expected.outputs, 'output');
  if (!expected.states) return;
  const states = new Float32Array(sequences * engine.stateSize);
  void engine.readStates(slots, states);
  assertClose(states, expected.states, 'state');
}

for (const { file, expected, spec } of CASES)
  test(`${file} computes what its maker computes, to ${TOLERANCE}`, async () => {
    const imported = await importModel(FOLDER + file);
    assert.equal(describe(imported.model), spec);
    assertComputes(imported, expectedOf(expected));
  });

test('one network has one digest, however it was saved', async () => {
  const files = [
    'raw/weights.bin',
    'torch/lstm-float64.safetensors',
    'onnx/lstm-nodes.onnx',
    'onnx/lstm-sequence.onnx',
  ];
  const digests = await Promise.all(files.map(async (file) => (await importModel(FOLDER + file)).model.digest));
  const { model } = await importModel(`${FOLDER}torch/lstm.safetensors`);
  assert.deepEqual(
    digests,
    files.map(() => model.digest),
  );
});
