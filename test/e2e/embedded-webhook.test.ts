import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAlert } from '@tideline/streams';
import { eventually } from '../stack/index.ts';
import { openReceiver } from '../unit/gateway/receiver.ts';
import { ROOT } from './services.ts';

const CALLS = 6;

test('without a server each alert reaches the webhook, signed, over a receiver that is away and a process that is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-webhook-'));
  await using receiver = await openReceiver();
  const key = randomBytes(32);
  const file = join(folder, 'calls.jsonl');
  const events = Array.from({ length: CALLS }, (_, i) => ({
    ...{ type: 'utterance', callId: `call-${i}`, ts: 1_700_000_000_000 + i * 1_000, speaker: 'customer', turnId: 't1' },
    text: 'Cancel it.',
  }));
  await writeFile(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const rules = join(folder, 'rules.yaml');
  await writeFile(rules, 'rules:\n  - name: leaves\n    severity: warning\n    when: { words: [cancel] }\n');
  const start = (): ChildProcess =>
    spawn(
      process.execPath,
      [
        ...[join(ROOT, 'bin', 'tideline.js'), 'demo', '--streams', 'calls', '--file', file, '--rules', rules],
        ...['--port', '0', '--state', join(folder, 'state')],
      ],
      {
        cwd: ROOT,
        stdio: 'ignore',
        env: {
          PATH: process.env.PATH,
          TIDELINE_WEBHOOK_URL: `${receiver.url}/hook`,
          TIDELINE_WEBHOOK_SECRET: `whsec_${key.toString('base64')}`,
        },
      },
    );
  receiver.answer = { status: 503 };
  let running = start();
  try {
    await eventually('the receiver refused every alert', () => receiver.requests.length >= CALLS);
    assert.equal(receiver.taken().size, 0);
    running.kill('SIGKILL');
    await once(running, 'exit');
    receiver.answer = { status: 204 };
    running = start();
    await eventually('every alert was taken', () => receiver.taken().size === CALLS);
    const lines = (await readFile(join(folder, 'state', 'points.lp'), 'utf8')).split('\n');
    const expected = new Map(lines.flatMap((line) => parseAlert(line) ?? []).map((alert) => [alert.id, alert]));
    for (const [id, body] of receiver.taken()) assert.deepEqual(JSON.parse(body), expected.get(id));
    assert.equal(expected.size, CALLS);
    for (const { headers, body } of receiver.requests) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const signature = createHmac('sha256', key).update(signed).digest('base64');
      assert.equal(headers['webhook-signature'], `v1,${signature}`);
    }
  } finally {
    running.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
