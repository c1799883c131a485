/** Some of the faults of `npm run chaos`, on servers of their own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FAULTS } from '../chaos/faults.ts';
import { runFault } from '../chaos/run-fault.ts';
import { startWorld } from '../chaos/world.ts';

const TICKS = 5_000;
const CHOSEN = [
  'forecaster killed, another stands by',
  'Redis loses its last second',
  'Redis loses everything',
  'connections to influx cut',
  'connections to kafka cut',
];

test('after a fault of processes, servers or network InfluxDB holds what a run without faults makes, to the bit', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-chaos-'));
  try {
    await using world = await startWorld(folder);
    for (const name of CHOSEN) {
      const fault = FAULTS.find((one) => one.name === name);
      assert(fault, `there is a fault '${name}'`);
      await t.test(name, async (sub) => {
        const { missing, duplicated, wrong, digestEqual, times } = await runFault({
          ...{ world, fault, ticks: TICKS, at: 0.3 },
        });
        assert.deepEqual(
          { missing, duplicated, wrong, digestEqual },
          { missing: 0, duplicated: 0, wrong: 0, digestEqual: true },
        );
        for (const [what, found] of Object.entries(times)) sub.diagnostic(`${what} ${found.map(Math.round).join(' ')}`);
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
