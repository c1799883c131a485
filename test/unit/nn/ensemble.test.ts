import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createModel,
  createReferenceEngine,
  createSimdEngine,
  embeddingOf,
  initWeights,
  type Model,
  ModelError,
  type ModelSpec,
  mergeMembers,
  SeededRandom,
} from '@tideline/nn';

const ROWS = 12;
const PLAIN = { name: 'one', inputSize: 3, hiddenSize: 5, layers: 2, outputSize: 2 } as const;
const SPECS: readonly ModelSpec[] = [
  { ...PLAIN, cell: 'lstm' },
  { ...PLAIN, cell: 'lstm', inputLayer: 4, skipConnection: true, peephole: true },
  { ...PLAIN, cell: 'gru', skipConnection: true },
  { ...PLAIN, cell: 'gru', gruReset: 'before', layers: 1, inputLayer: 4, inputActivation: 'relu' },
  { ...PLAIN, cell: 'rnn', layers: 3 },
];

function modelOf(spec: ModelSpec, seed: number): Model {
  const random = new SeededRandom(seed, 0);
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

async function outputsOf(model: Model, make: typeof createSimdEngine | typeof createReferenceEngine) {
  const engine = await make(model, { slotsMax: 1 });
  const random = new SeededRandom(99, 0);
  const inputs = Float32Array.from({ length: ROWS * 3 }, () => 4 * random.next() - 2);
  const outputs = new Float32Array(ROWS * model.spec.outputSize);
  engine.run({ slot: engine.allocate(), rows: Uint32Array.from({ length: ROWS }, (_, row) => row), inputs, outputs });
  engine.dispose();
  return outputs;
}

test('an ensemble in one model says the mean of what its members say, step by step, whatever the cell', async () => {
  for (const spec of SPECS) {
    const members = [1, 2, 3].map((seed) => modelOf(spec, seed));
    const alone = await Promise.all(members.map((member) => outputsOf(member, createReferenceEngine)));
    for (const make of [createReferenceEngine, createSimdEngine]) {
      const merged = await outputsOf(mergeMembers('three', members), make);
      merged.forEach((value, i) => {
        const mean = (alone[0][i] + alone[1][i] + alone[2][i]) / 3;
        assert(Math.abs(value - mean) < 2e-6, `${JSON.stringify(spec)}, output ${i}: ${value}, not ${mean}`);
      });
      // Not by chance: the members differ.
      assert(Math.abs(alone[0][5] - alone[1][5]) > 1e-3);
    }
  }
});

test('members with a table have one, in which each reads the values of its own', async () => {
  const embedding = { buckets: 4, size: 2 };
  const specs: readonly ModelSpec[] = [
    { ...PLAIN, cell: 'gru', layers: 1, inputLayer: 4, inputActivation: 'relu', skipConnection: true, embedding },
    { ...PLAIN, cell: 'lstm', skipConnection: true, embedding },
    { ...PLAIN, cell: 'gru', embedding, head: { kind: 'classes' } },
  ];
  const bags = Array.from({ length: ROWS }, (_, row) => [row % 4, (row * 3) % 4].slice(0, row % 3));
  for (const spec of specs) {
    const said = async (model: Model, make: typeof createSimdEngine | typeof createReferenceEngine) => {
      const { inputSize, outputSize } = model.spec;
      const table = embeddingOf(model);
      const inputs = new Float32Array(ROWS * inputSize);
      bags.forEach((bag, row) => {
        inputs[row * inputSize] = Math.sin(row);
        table?.gather(bag, inputs, row * inputSize + 1);
      });
      const engine = await make(model, { slotsMax: 1 });
      const outputs = new Float32Array(ROWS * outputSize);
      engine.run({
        slot: engine.allocate(),
        rows: Uint32Array.from({ length: ROWS }, (_, row) => row),
        inputs,
        outputs,
      });
      engine.dispose();
      return outputs;
    };
    const members = [1, 2, 3].map((seed) => modelOf(spec, seed));
    const alone = await Promise.all(members.map((member) => said(member, createReferenceEngine)));
    const merged = mergeMembers('three', members);
    assert.equal(merged.spec.inputSize, 7);
    for (const make of [createReferenceEngine, createSimdEngine])
      (await said(merged, make)).forEach((value, i) => {
        const mean = (alone[0][i] + alone[1][i] + alone[2][i]) / 3;
        assert(Math.abs(value - mean) < 2e-6, `${JSON.stringify(spec)}, output ${i}: ${value}, not ${mean}`);
      });
  }
});

test('an ensemble of one is its member', () => {
  const member = modelOf(SPECS[1], 1);
  assert.equal(mergeMembers('one', [member]).digest, member.digest);
});

test('members that cannot stand side by side are refused with the reason', () => {
  const [one] = SPECS;
  const refused = (specs: readonly ModelSpec[], message: RegExp): void => {
    const members = specs.map((spec, i) => modelOf(spec, i));
    assert.throws(
      () => mergeMembers('e', members),
      (error: Error) => error instanceof ModelError && message.test(error.message),
    );
  };
  refused([], /it has no members/);
  refused([one, { ...one, hiddenSize: 6 }], /member 2 has another shape than the first/);
  const table = (buckets: number): ModelSpec => ({ ...one, embedding: { buckets, size: 1 } });
  refused([table(4), table(8)], /member 2 has another shape than the first/);
  // Sums over all units of a layer would run over all members.
  refused([{ ...one, layerNorm: true }], /members with layerNorm cannot stand side by side/);
  refused([{ ...one, bidirectional: true }], /members with bidirectional cannot stand side by side/);
  refused(
    [{ ...one, head: { kind: 'linear', scope: 'sequence' } }],
    /members with head\.scope cannot stand side by side/,
  );
});
