import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWaves } from '@tideline/pipeline';
import fc from 'fast-check';

test('every row is planned exactly once and a series keeps its order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { maxLength: 200 }), fc.constantFrom(1, 5_000), (drawn, apart) => {
      const slots = Uint32Array.from(drawn, (slot) => slot * apart);
      const rows = slots.map((_, i) => i);
      const { waves, runs } = planWaves(slots, rows);
      const seen: number[][] = Array.from({ length: 13 }, () => []);
      for (const wave of waves) {
        assert.equal(new Set(wave.slots).size, wave.slots.length, 'a wave holds a slot once');
        wave.slots.forEach((slot, i) => {
          seen[slot / apart].push(wave.rows[i]);
        });
      }
      for (const run of runs) seen[run.slot / apart].push(...run.rows);
      for (let slot = 0; slot <= 12; slot += 1)
        assert.deepEqual(
          seen[slot],
          [...rows].filter((i) => slots[i] === slot * apart),
        );
    }),
  );
});

test('one hot series goes through the sequence kernel in one run', () => {
  const { waves, runs } = planWaves(Uint32Array.of(7, 7, 7, 7, 7), Uint32Array.of(0, 1, 2, 3, 4));
  assert.equal(waves.length, 0);
  assert.deepEqual(runs, [{ slot: 7, rows: Uint32Array.of(0, 1, 2, 3, 4) }]);
});
