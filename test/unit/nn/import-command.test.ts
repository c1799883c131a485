/** `tideline models import` as a person and a script use it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@tideline/nn';

const TIDELINE = fileURLToPath(new URL('../../../../bin/tideline.js', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../../golden/import/', import.meta.url));
let out = '';
before(async () => {
  out = await mkdtemp(join(tmpdir(), 'tideline-models-'));
});
after(() => rm(out, { recursive: true }));

function tideline(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [TIDELINE, 'models', 'import', ...args], { encoding: 'utf8' });
}

test('an import prints what it found and writes a model with its card; what cannot be done exits with 78', async () => {
  const file = join(FOLDER, 'onnx/lstm-step.onnx');
  const first = tideline(file, '--out', out, '--name', 'job');
  assert.equal(first.status, 0, first.stderr);
  assert.match(
    first.stdout,
    /format {3}onnx\n.*\ncell {5}lstm\nsizes {4}3 -> 5 x 2 layers -> 2\ndigest {3}[0-9a-f]{64}\n/,
  );
  const { model, card } = await loadModel(join(out, 'job/model.tdl'));
  assert.equal(model.spec.name, 'job');
  assert.deepEqual(JSON.parse(await readFile(join(out, 'job/card.json'), 'utf8')), card);
  assert.equal(card.digest, model.digest);

  const second = tideline(file, '--out', out, '--name', 'job');
  assert.equal(second.status, 78);
  assert.match(
    second.stderr,
    /^tideline models: There is a model at '.*model\.tdl' already\. Give another --name, or --replace .*\n$/,
  );
  assert.equal(second.stdout, '');
});
