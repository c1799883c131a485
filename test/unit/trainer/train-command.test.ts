import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel, ModelError } from '@tideline/nn';
import { checkpointToResume, readCheckpoint, trainTicks, writeCheckpoint } from '@tideline/trainer';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const EPOCHS = 2;
const folder = await mkdtemp(join(tmpdir(), 'tideline-train-'));
const checkpoint = join(folder, 'ticks.ckpt');
const children: ChildProcess[] = [];

after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function train(...args: readonly string[]) {
  const command = [join(ROOT, 'bin', 'tideline.js'), 'train', 'ticks', '--out', folder, '--epochs', `${EPOCHS}`];
  const child = spawn(process.execPath, [...command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** Resolves when the command has written a line that starts so. */
async function lineOf(child: ReturnType<typeof train>, start: string): Promise<void> {
  for await (const line of createInterface({ input: child.stderr })) if (line.startsWith(start)) return;
  assert.fail(`The command ended before a line '${start}'.`);
}

test("'tideline train' killed by SIGKILL after an epoch and resumed ends with the bits of a training that never stopped", async () => {
  const killed = train('--checkpoint', checkpoint);
  await lineOf(killed, `epoch 1/${EPOCHS} `);
  killed.kill('SIGKILL');
  const [, signal] = (await once(killed, 'exit')) as [number | null, NodeJS.Signals | null];
  assert.equal(signal, 'SIGKILL', 'it was killed, it had not ended');
  assert.ok(!(await readdir(folder)).includes('ticks-lstm'), 'no model was written');
  const done = (await readCheckpoint(checkpoint))?.history.length ?? 0;
  assert.ok(done >= 1 && done < EPOCHS, `${done} epochs are in the checkpoint`);

  const resumed = train('--checkpoint', checkpoint, '--resume', '--json');
  const [output, log, [end], whole] = await Promise.all([
    text(resumed.stdout),
    text(resumed.stderr),
    once(resumed, 'exit') as Promise<[number | null]>,
    trainTicks({ seed: 1, epochs: EPOCHS, onEpoch: () => undefined }),
  ]);
  assert.equal(end, 0, log);
  assert.match(log, new RegExp(`^Going on after epoch ${done} of`));
  const result = JSON.parse(output) as { readonly digest: string; readonly epochs: number };
  assert.equal(result.digest, whole.model.digest);
  assert.equal(result.epochs, EPOCHS);
  const written = await loadModel(join(folder, 'ticks-lstm', 'model.tdl'));
  assert.equal(written.model.digest, whole.model.digest);
  assert.deepEqual(written.card, JSON.parse(JSON.stringify(whole.card)), 'the card and its history are the same, too');
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'ticks-lstm', 'card.json'), 'utf8')), written.card);
});

test('a checkpoint is not overwritten by a training that forgot to go on from it, and a file that is none is named', async () => {
  const path = join(folder, 'deep', 'calls.ckpt');
  assert.equal(await checkpointToResume(path, true), null, 'none yet: the same command line serves the first start');
  const numbers = Float64Array.of(1, -0, Number.MIN_VALUE);
  const kept = {
    ...{ fingerprint: 'f', history: [], bestEpoch: 0, orderState: 1, dropoutState: 2, adamSteps: 3 },
    ...{ parameters: numbers, kept: numbers, mean: numbers, square: numbers },
  };
  await writeCheckpoint(path, kept);
  assert.deepEqual(await checkpointToResume(path, true), kept);
  const refused = (message: RegExp) => (error: unknown) => error instanceof ModelError && message.test(error.message);
  await assert.rejects(
    checkpointToResume(path, false),
    refused(/calls.ckpt'. Add --resume to go on from it, or delete/),
  );
  await assert.rejects(checkpointToResume(join(folder, 'deep'), true), refused(/deep' cannot be read \(EISDIR\)/));
  await writeFile(path, 'no checkpoint');
  await assert.rejects(checkpointToResume(path, true), refused(/calls.ckpt' is no checkpoint of a training run/));
});
