import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PIPELINE_SABOTAGES } from './sabotage.ts';
import { CHECKPOINT_SABOTAGES } from './sabotage-checkpoints.ts';
import { END_SABOTAGES } from './sabotage-ends.ts';
import { IDLE_SABOTAGES } from './sabotage-idle.ts';
import { MODEL_SABOTAGES } from './sabotage-models.ts';
import { type SimulationReport, simulate } from './simulate.ts';
import { addReport, emptyTally, tallyLine } from './tally.ts';

/** A bounded part of what `npm run sim` runs. */
const SEEDS = 40;
const STRAIGHT_SEEDS = 6;
const REPLAYED_SEEDS = 4;
const SABOTAGE_SEEDS_MAX = 30;
/** Seeds whose runs are small, for a crash at each of their awaits. */
const CRASHED_SEEDS = [2, 9];
const AWAIT_STRIDE = 11;

function assertRight(report: SimulationReport, how = ''): void {
  const { seed, violations, digests } = report;
  const where = `seed ${seed}${how}; 'npm run sim -- --seed ${seed}' replays it`;
  assert.deepEqual(violations, [], where);
  assert.equal(digests.found, digests.expected, where);
}

test(`${SEEDS} seeds of faults all end as the straight run does, to the bit`, async (t) => {
  const tally = emptyTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const report = await simulate({ seed });
    assertRight(report);
    addReport(tally, report);
  }
  t.diagnostic(tallyLine(tally));
  const kinds = Object.keys(tally.faults);
  assert.ok(kinds.length > 20, `only these faults struck: ${kinds}`);
});

test('without a fault every seed is right, too', async () => {
  for (let seed = 1; seed <= STRAIGHT_SEEDS; seed += 1) assertRight(await simulate({ seed, faults: [] }));
});

test('a seed is a replay: two runs have the same trace', async () => {
  for (let seed = 1; seed <= REPLAYED_SEEDS; seed += 1) {
    const [first, second, other] = [
      await simulate({ seed }),
      await simulate({ seed }),
      await simulate({ seed: -seed }),
    ];
    assert.equal(first.trace, second.trace);
    assert.equal(first.events, second.events);
    assert.notEqual(first.trace, other.trace);
  }
});

test('a crash at any await of any process is made good', async () => {
  for (const seed of CRASHED_SEEDS) {
    const { awaits } = await simulate({ seed, faults: [] });
    for (let crashAtAwait = 1 + (seed % AWAIT_STRIDE); crashAtAwait <= awaits; crashAtAwait += AWAIT_STRIDE) {
      const report = await simulate({ seed, faults: [], crashAtAwait });
      assertRight(report, ` with a crash at await ${crashAtAwait}`);
      assert.equal(
        [...report.faults.values()].reduce((sum, count) => sum + count, 0),
        1,
      );
    }
  }
});

for (const { name, faults, settings = {}, create } of [
  ...PIPELINE_SABOTAGES,
  ...CHECKPOINT_SABOTAGES,
  ...MODEL_SABOTAGES,
  ...IDLE_SABOTAGES,
  ...END_SABOTAGES,
])
  test(`the checkers find ${name}`, async () => {
    for (let seed = 1; seed <= SABOTAGE_SEEDS_MAX; seed += 1) {
      const { violations } = await simulate({ seed, faults, settings, sabotage: create() });
      if (violations.length > 0) return;
    }
    assert.fail(`not found in ${SABOTAGE_SEEDS_MAX} seeds`);
  });
