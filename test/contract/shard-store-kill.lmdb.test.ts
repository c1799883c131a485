import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLmdbDeadLetterSink, createLmdbShardStore } from '@tideline/adapters';
import { ConfigError, type DeadLetter } from '@tideline/pipeline';

const root = mkdtempSync(join(tmpdir(), 'tideline-kill-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('lmdb shard store: what a writer killed with SIGKILL has committed is there, whole', {
  timeout: 60_000,
}, async () => {
  const folder = join(root, 'killed');
  let confirmed = 0;
  for (const commits of [1, 23, 60]) {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./shard-store-writer.js', import.meta.url)), folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const exit = once(child, 'exit');
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      confirmed = Number(line);
      seen += 1;
      if (seen === commits) child.kill('SIGKILL');
    }
    await exit;
    await using store = createLmdbShardStore({ folder, logBytesMax: 10_000 });
    const [status] = await store.status();
    assert.ok(status.position >= confirmed, `Position ${status.position} is below the confirmed ${confirmed}.`);
    assert.equal(
      status.series,
      status.position + 1,
      'Each commit has written one series more, beside the one that all write.',
    );
    const [newest] = await store.load(status.shard, ['newest']);
    assert.equal(Buffer.from(newest ?? []).readUInt32LE(), status.position);
    assert.equal((await store.read(status.shard, status.position, 9)).length, status.head - status.position);
    // The dead writer's position is where its successor goes on.
    const { epoch } = await store.claim(status.shard, 'writer');
    if (status.head > status.position)
      await store.commit({
        ...{ shard: status.shard, epoch, from: status.position, position: status.head, model: 'm', removed: [] },
        keys: [`k${status.position}`],
        states: [new Uint8Array(1)],
      });
  }
});

test('lmdb shard store: a folder that cannot be opened is named', async () => {
  const file = join(root, 'a-file');
  writeFileSync(file, '');
  assert.throws(
    () => createLmdbShardStore({ folder: join(file, 'state'), logBytesMax: 1_000 }),
    (error: Error) => error instanceof ConfigError && error.message.includes(join(file, 'state')),
  );
});

test('lmdb dead letters: one letter a position, in order, whole, there when opened again', async () => {
  const folder = join(root, 'letters');
  const letter = (partition: number, offset: number, reason: string): DeadLetter => ({
    code: 'POISON_RECORD',
    shard: { topic: 'ticks', partition },
    offset,
    reason,
    field: 'price',
    record: {
      offset,
      key: Uint8Array.from([0, 255, 10]),
      value: offset % 2 === 0 ? null : Uint8Array.from({ length: 256 }, (_, index) => index),
      timestampMs: 1_700_000_000_000,
      headers: { trace: [Buffer.from('ü')] },
    },
  });
  {
    await using sink = createLmdbDeadLetterSink({ folder });
    await sink.write([letter(1, 9, 'first'), letter(0, 2 ** 40 + 1, 'far'), letter(0, 7, 'near')]);
    await sink.write([]);
    await sink.write([letter(1, 9, 'again')]);
  }
  await using sink = createLmdbDeadLetterSink({ folder });
  const expected = [letter(0, 7, 'near'), letter(0, 2 ** 40 + 1, 'far'), letter(1, 9, 'again')];
  const plain = (one: DeadLetter) => ({
    ...one,
    record: { ...one.record, key: [...(one.record.key ?? [])], value: one.record.value && [...one.record.value] },
  });
  assert.deepEqual([...sink.list()].map(plain), expected.map(plain));
  assert.equal(sink.count, 3);
});

test('lmdb: dead letters and shards may share a folder in one process', async () => {
  const folder = join(root, 'shared');
  await using store = createLmdbShardStore({ folder, logBytesMax: 1_000 });
  await using sink = createLmdbDeadLetterSink({ folder });
  const shard = { topic: 'ticks', partition: 0 };
  await Promise.all([
    store.append(shard, { from: 0, begins: true, next: 1, bytes: new Uint8Array(3) }),
    sink.write([
      {
        code: 'POISON_RECORD',
        ...{ shard, offset: 0, reason: 'r', field: '' },
        record: { offset: 0, key: null, value: null, timestampMs: 0, headers: {} },
      },
    ]),
  ]);
  assert.equal(await store.head(shard), 1);
  assert.equal(sink.count, 1);
});
