/** Some of the faults of `npm run chaos` that need no server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mulberry32 } from '@tideline/streams';
import { type EmbeddedJob, killEmbedded, limitFiles, prepareEmbedded } from '../chaos/embedded.ts';
import { ROOT } from './services.ts';

const RECORDS = 12_000;
const KILLS = 5;
let folder = '';
let job: EmbeddedJob;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-embedded-'));
  job = await prepareEmbedded(folder, RECORDS);
});
after(() => rm(folder, { recursive: true, force: true }));

test('runs killed with SIGKILL at any moment go on from their state and end with the digest of a run without faults', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const { digestEqual, killsAtStart, killsAtWork } = await killEmbedded(job, {
    kills: KILLS,
    random: mulberry32(seed),
  });
  t.diagnostic(`SEED=${seed}: ${killsAtStart} killed before a point, ${killsAtWork} after`);
  assert(digestEqual, `SEED=${seed} tries it again`);
});

for (const { what, bytes } of [
  { what: 'its state', bytes: 120_000 },
  { what: 'its points', bytes: 900_000 },
])
  test(`a run that finds no room for ${what} says so, waits, and ends with the digest of a run without faults when there is room again`, async () => {
    const { digestEqual } = await limitFiles(job, bytes);
    assert(digestEqual);
  });

test('a run whose state folder has no room from the beginning ends with the cure, not with a signal', () => {
  const run = [process.execPath, join(ROOT, 'bin', 'tideline.js'), 'demo', '--once', '--state', join(folder, 'none')];
  const { status, stderr } = spawnSync('prlimit', ['--fsize=30000:', ...run], { encoding: 'utf8' });
  assert.equal(status, 78, stderr);
  assert.match(stderr, /cannot be opened \(.*\)\. Name a folder on a local disk with room/);
});
