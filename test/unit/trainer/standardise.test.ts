import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, initWeights, type ModelSpec, SeededRandom } from '@tideline/nn';
import { evaluate, foldScaling, leastSquares, scalingOf, standardised } from '@tideline/trainer';

const ROWS = 40;
const COLUMNS = 3;

test('a model whose scaling is folded in answers raw inputs as the trained one answers standardised ones', () => {
  const random = new SeededRandom(5, 0);
  const raw = Float32Array.from(
    { length: ROWS * COLUMNS },
    (_, i) => [-10, 0.002, 300][i % COLUMNS] * (1 + random.next()),
  );
  const inputs = scalingOf(raw, { columns: COLUMNS, from: 5, to: 30 });
  const outputs = { mean: Float64Array.of(-9, 4), deviation: Float64Array.of(0.5, 20) };
  const base = { name: 'm', cell: 'lstm', inputSize: COLUMNS, hiddenSize: 4, layers: 2, outputSize: 2 } as const;
  const specs: ModelSpec[] = [
    base,
    { ...base, skipConnection: true },
    { ...base, inputLayer: 5, skipConnection: true, cell: 'gru' },
    { ...base, cell: 'rnn' },
  ];
  for (const spec of specs) {
    const weights = initWeights(spec, () => random.next());
    const plain = evaluate(createModel(spec, weights), standardised(raw, inputs), ROWS);
    const folded = evaluate(createModel(spec, foldScaling(spec, weights, { inputs, outputs })), raw, ROWS);
    plain.forEach((value, i) => {
      const wanted = value * outputs.deviation[i % 2] + outputs.mean[i % 2];
      assert(Math.abs(folded[i] - wanted) < 2e-4 * outputs.deviation[i % 2], `${spec.cell} ${folded[i]} ${wanted}`);
    });
  }
  assert.throws(() =>
    foldScaling(
      { ...base, layerNorm: true },
      initWeights(base, () => 0.5),
      { inputs, outputs },
    ),
  );
});

test('a column that never changes is left at deviation 1', () => {
  const { mean, deviation } = scalingOf([7, 1, 7, 2, 7, 3], { columns: 2, from: 0, to: 3 });
  assert.deepEqual([...mean], [7, 2]);
  assert.deepEqual([deviation[0], deviation[1].toFixed(6)], [1, Math.sqrt(2 / 3).toFixed(6)]);
});

test('least squares finds the coefficients that made the values, and shrinks them with a ridge', () => {
  const random = new SeededRandom(9, 0);
  const x = Float64Array.from({ length: 200 * 3 }, (_, i) => (i % 3 === 0 ? 1 : random.next() - 0.5));
  const y = Float64Array.from({ length: 200 }, (_, row) => 2 - 3 * x[row * 3 + 1] + 0.5 * x[row * 3 + 2]);
  const plain = leastSquares(x, y, { columns: 3 });
  [2, -3, 0.5].forEach((wanted, i) => {
    assert(Math.abs(plain[i] - wanted) < 1e-6);
  });
  const ridged = leastSquares(x, y, { columns: 3, ridge: 50 });
  assert(Math.abs(ridged[1]) < 2);
});
