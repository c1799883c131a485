/** What heads make of linear outputs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classGroupsOf, headOf, middleOf } from '@tideline/nn';
import { quantilesOf } from '@tideline/streams';
import fc from 'fast-check';

const anyValue = fc.float({ noNaN: true, noDefaultInfinity: true });
const values = fc.float({ min: -20, max: 20, noNaN: true });

function read(reader: ReturnType<typeof headOf>, z: readonly number[]): number[] {
  const outputs = new Float32Array(z.length);
  reader.read(Float32Array.from(z), 0, outputs, 0);
  return [...outputs];
}

const levelSets: fc.Arbitrary<number[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 9 })
  .map((percents) => percents.sort((a, b) => a - b).map((percent) => percent / 100));

test('quantiles rise with their levels, whatever the network says', () => {
  fc.assert(
    fc.property(
      levelSets.chain((levels) =>
        fc.tuple(
          fc.constant(levels),
          fc.array(anyValue, { minLength: 2 * levels.length, maxLength: 2 * levels.length }),
        ),
      ),
      ([levels, z]) => {
        const found = read(headOf({ head: { kind: 'multi-quantile', levels }, outputSize: z.length }), z);
        for (const target of [0, 1])
          for (let i = 1; i < levels.length; i += 1)
            assert.ok(found[target * levels.length + i] >= found[target * levels.length + i - 1], String(found));
      },
    ),
  );
});

test('at 0.1, 0.5, 0.9 the quantiles are those of the stream of ticks, to the bit', () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 3, maxLength: 3 }), (z) => {
      const reader = headOf({ head: { kind: 'multi-quantile', levels: [0.1, 0.5, 0.9] }, outputSize: 3 });
      assert.deepEqual(read(reader, z), [...Float32Array.from(quantilesOf(z, 0))]);
    }),
  );
});

test('distances are counted from the level nearest to the median', () => {
  assert.deepEqual([[0.5], [0.25, 0.75], [0.1, 0.5, 0.9], [0.6, 0.7], [0.1, 0.2, 0.4]].map(middleOf), [0, 0, 1, 0, 2]);
  const reader = headOf({ head: { kind: 'multi-quantile', levels: [0.1, 0.2, 0.4] }, outputSize: 3 });
  const [q10, q20, q40] = read(reader, [2, 100, 50]);
  assert.deepEqual([q10, q20, q40], [2 - 100 - 50, 2 - 100, 2]);
});

test('classes are probabilities that sum to 1, in the order of their outputs', () => {
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 2, maxLength: 8 }), (z) => {
      const found = read(headOf({ head: { kind: 'classes' }, outputSize: z.length }), z);
      assert.ok(found.every((p) => p >= 0 && p <= 1));
      assert.ok(Math.abs(found.reduce((sum, p) => sum + p, 0) - 1) < 1e-6);
      for (let i = 1; i < z.length; i += 1) if (z[i] > z[i - 1]) assert.ok(found[i] >= found[i - 1]);
    }),
  );
});

test('what all classes have in common does not count', () => {
  const reader = headOf({ head: { kind: 'classes' }, outputSize: 3 });
  assert.deepEqual(read(reader, [1000, 1001, 998]), read(reader, [0, 1, -2]));
});

test('a NaN shows in every output that it belongs to', () => {
  assert.deepEqual(read(headOf({ head: { kind: 'classes' }, outputSize: 2 }), [Number.NaN, 1]), [
    Number.NaN,
    Number.NaN,
  ]);
  const quantiles = headOf({ head: { kind: 'multi-quantile', levels: [0.1, 0.5, 0.9] }, outputSize: 6 });
  const found = read(quantiles, [Number.NaN, 1, 1, 0, 0, 0]);
  assert.ok(found.slice(0, 3).every(Number.isNaN) && found.slice(3).every(Number.isFinite));
});

test('a decoder reads back the value, the middle quantile or the likeliest class', () => {
  const fedBack = (spec: Parameters<typeof headOf>[0], z: readonly number[]): number[] => {
    const reader = headOf(spec);
    const into = new Float32Array(reader.feedbackSize + 1).fill(7);
    reader.feedBack(z, 0, into, 1);
    assert.equal(into[0], 7);
    return [...into.subarray(1)];
  };
  assert.deepEqual(fedBack({ outputSize: 2 }, [3, 4]), [3, 4]);
  assert.deepEqual(fedBack({ head: { kind: 'classes' }, outputSize: 3 }, [1, 5, 5]), [0, 1, 0]);
  assert.deepEqual(
    fedBack({ head: { kind: 'multi-quantile', levels: [0.1, 0.5, 0.9] }, outputSize: 6 }, [1, 2, 3, 4, 5, 6]),
    [1, 4],
  );
});

test('groups of classes are probabilities group by group', () => {
  const groups = [
    { name: 'sentiment', classes: ['negative', 'neutral', 'positive'] },
    { name: 'ends', classes: ['no', 'yes'] },
  ];
  const spec = { head: { kind: 'classes', groups }, outputSize: 5 } as const;
  const z = [0.5, -1, 2, 3, 1];
  const alone = [
    ...read(headOf({ head: { kind: 'classes' }, outputSize: 3 }), z.slice(0, 3)),
    ...read(headOf({ head: { kind: 'classes' }, outputSize: 2 }), z.slice(3)),
  ];
  assert.deepEqual(read(headOf(spec), z), alone);
  const choice = new Float32Array(5);
  headOf(spec).feedBack(z, 0, choice, 0);
  assert.deepEqual([...choice], [0, 0, 1, 1, 0]);
  assert.deepEqual(
    classGroupsOf(spec).map(({ name, from, count }) => [name, from, count]),
    [
      ['sentiment', 0, 3],
      ['ends', 3, 2],
    ],
  );
});
