import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createLeaveOneOut,
  createModel,
  createReferenceEngine,
  createSequenceModel,
  createSimdEngine,
  initWeights,
  leavesOneOut,
  type Model,
  ModelError,
  type ModelSpec,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

const STEPS_MAX = 33;
const spec = {
  ...{ name: 'whole', inputSize: 5, hiddenSize: 12, layers: 1, bidirectional: true, outputSize: 4 },
  head: {
    kind: 'classes',
    scope: 'sequence',
    groups: [
      { name: 'a', classes: ['no', 'yes'] },
      { name: 'b', classes: ['no', 'yes'] },
    ],
  },
} as const;
const ENGINES = { reference: createReferenceEngine, simd: createSimdEngine };

function randomModel(shape: ModelSpec): Model {
  return createModel(shape, initWeights(shape, mulberry32(7)));
}

for (const cell of ['lstm', 'gru', 'rnn'] as const)
  for (const [name, engine] of Object.entries(ENGINES))
    test(`leaving each step out of a sequence gives the bits of each shortened sequence: ${cell} on ${name}`, () => {
      const model = randomModel({ ...spec, cell });
      const oneByOne = createSequenceModel(model, { engine });
      const leave = createLeaveOneOut(model, { engine, stepsMax: STEPS_MAX });
      for (const steps of [2, 3, 17, STEPS_MAX]) {
        const inputs = Float32Array.from({ length: steps * 5 }, (_, i) => Math.sin(i * i + steps));
        const expected = Array.from({ length: steps }, (_, k) => {
          const rest = [...inputs].filter((_value, i) => Math.floor(i / 5) !== k);
          return [...oneByOne.runNow(Float32Array.from(rest)).outputs];
        });
        assert.deepEqual([...leave(inputs)], expected.flat(), `${steps} steps`);
        assert.ok(new Set(expected.map((row) => row[0])).size > 1, 'the copies differ');
      }
    });

test('leaving steps out refuses what it cannot do by name', () => {
  const deep = randomModel({ ...spec, cell: 'lstm', layers: 2 });
  assert.equal(leavesOneOut(deep.spec), false);
  assert.throws(() => createLeaveOneOut(deep, { engine: createSimdEngine, stepsMax: 8 }), ModelError);
  const leave = createLeaveOneOut(randomModel({ ...spec, cell: 'lstm' }), { engine: createSimdEngine, stepsMax: 8 });
  for (const steps of [1, 9])
    assert.throws(() => leave(new Float32Array(steps * 5)), /steps: leaving one out takes 2 to 8/);
});
