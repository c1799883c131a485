import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createRedisLiveFeed, createRedisShardStore, openRedis } from '@tideline/adapters';
import { startRedis } from '@tideline/native';
import { ConfigError, PointLines, RetryableError, StaleEpochError } from '@tideline/pipeline';
import { openTcpProxy, urlThrough } from '../stack/tcp-proxy.ts';

const url = process.env.TIDELINE_TEST_REDIS ?? '';
const target = { host: new URL(url).hostname, port: Number(new URL(url).port || 6379) };
const shard = { topic: 'faults', partition: 0 };
const entry = { from: 0, begins: true, next: 1, bytes: new Uint8Array(3) };
const quiet = { name: 'test', onWarning: () => {} };

test('redis: a wrong address is named with its cure, and no password', async () => {
  const wrong = 'redis://someone:s3cret@127.0.0.1:1';
  const started = performance.now();
  await assert.rejects(createRedisShardStore({ url: wrong, logBytesMax: 1_000 }), (error: Error) => {
    assert.ok(error instanceof RetryableError);
    assert.match(
      error.message,
      /redis:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)\. Start Redis there, or correct the address/,
    );
    assert.ok(!error.message.includes('s3cret'));
    return true;
  });
  assert.ok(performance.now() - started < 2_000);
});

test('redis: what is no Redis URL is a configuration error that does not print it', async () => {
  for (const wrong of ['', 'localhost:6379', 'http://s3cret@localhost', 'redis://'])
    await assert.rejects(
      createRedisShardStore({ url: wrong, logBytesMax: 1_000 }),
      (error: Error) => error instanceof ConfigError && !error.message.includes('s3cret'),
      wrong,
    );
});

test('redis: a wrong password is a configuration error', async () => {
  const wrong = new URL(url);
  wrong.username = 'nobody';
  wrong.password = 's3cret';
  await assert.rejects(
    createRedisShardStore({ url: wrong.href, logBytesMax: 1_000 }),
    (error: Error) => error instanceof ConfigError && /password/.test(error.message) && !/s3cret/.test(error.message),
  );
});

test('redis: keys of another program are refused as a configuration error', async () => {
  const prefix = `test:${randomUUID()}`;
  const redis = await openRedis(url, quiet);
  await redis.set(`${prefix}:{faults-0}:meta`, 'something else');
  await redis.quit();
  await using store = await createRedisShardStore({ url, prefix, logBytesMax: 1_000 });
  await assert.rejects(
    store.append(shard, entry),
    (error: Error) => error instanceof ConfigError && /prefix/.test(error.message),
  );
});

/** How commits go out: as scripts, where they are small, or as transactions. */
const COMMITS = [
  { name: 'a script', transactionFromBytes: 65_536 },
  { name: 'a transaction', transactionFromBytes: 0 },
] as const;

for (const { name, transactionFromBytes } of COMMITS)
  test(`redis: a server that forgot the scripts, or cut the connection, is served on; a commit is ${name}`, async () => {
    const redis = await openRedis(url, quiet);
    await using store = await createRedisShardStore({
      connection: redis,
      prefix: `test:${randomUUID()}`,
      logBytesMax: 1_000,
      transactionFromBytes,
    });
    const other = await openRedis(url, quiet);
    try {
      const { epoch } = await store.claim(shard, 'a');
      await other.script('FLUSH');
      assert.equal((await store.append(shard, entry)).status, 'ok');
      await other.client('KILL', 'ID', await redis.client('ID'));
      await store.commit({
        shard,
        epoch,
        from: 0,
        position: 1,
        model: 'm',
        keys: ['k'],
        states: [entry.bytes],
        removed: [],
      });
      assert.equal((await store.status())[0].position, 1);
    } finally {
      await Promise.all([redis.quit(), other.quit()]);
    }
  });

test('redis: a server that lost everything is filled again from the beginning', async () => {
  const redis = await openRedis(url, quiet);
  const prefix = `test:${randomUUID()}`;
  await using store = await createRedisShardStore({ url, prefix, logBytesMax: 1_000 });
  await store.append(shard, entry);
  const { epoch } = await store.claim(shard, 'a');
  await redis.del(await redis.keys(`${prefix}:*`));
  await redis.quit();
  const next = { from: 1, begins: false, next: 2, bytes: entry.bytes };
  const commit = { shard, epoch, from: 0, position: 1, model: 'm', keys: ['k'], states: [entry.bytes], removed: [] };
  await assert.rejects(store.commit(commit), StaleEpochError);
  assert.deepEqual(await store.append(shard, next), { status: 'seek', head: null });
  assert.deepEqual(await store.append(shard, entry), { status: 'ok', head: 1, ticket: 1 });
  assert.equal((await store.status()).length, 1);
});

test('redis: a shard that begins anew after a loss is known again', async () => {
  const prefix = `test:${randomUUID()}`;
  const redis = await openRedis(url, quiet);
  await using store = await createRedisShardStore({ connection: redis, prefix, logBytesMax: 1_000 });
  try {
    assert.equal((await store.append(shard, entry)).status, 'ok');
    await redis.del(...(await redis.keys(`${prefix}:*`)));
    assert.equal(await store.head(shard), null);
    assert.equal((await store.append(shard, entry)).status, 'ok');
    // Who is not in the set of shards is announced to nobody, and looks fallen behind for ever.
    assert.deepEqual(
      (await store.status()).map(({ head, ticket }) => [head, ticket]),
      [[1, 1]],
    );
  } finally {
    redis.disconnect();
  }
});

test('redis: a store on a connection of the caller leaves it open', async () => {
  const redis = await openRedis(url, quiet);
  const store = await createRedisShardStore({ connection: redis, prefix: `test:${randomUUID()}`, logBytesMax: 1_000 });
  await store[Symbol.asyncDispose]();
  assert.equal(await redis.ping(), 'PONG');
  await redis.quit();
});

for (const { name, transactionFromBytes } of COMMITS)
  test(`redis: a commit, an append and a release whose replies are lost are done once; a commit is ${name}`, {
    timeout: 30_000,
  }, async () => {
    const prefix = `test:${randomUUID()}`;
    await using proxy = await openTcpProxy(target);
    await using near = await createRedisShardStore({ url, prefix, logBytesMax: 1_000 });
    const options = { prefix, logBytesMax: 1_000, transactionFromBytes };
    await using far = await createRedisShardStore({ url: urlThrough(proxy, url), ...options });
    const { epoch } = await far.claim(shard, 'a');
    const until = async (holds: (status: { head: number; position: number; ticket: number | null }) => boolean) => {
      const deadline = performance.now() + 10_000;
      while (!(await near.status()).some(holds)) {
        assert.ok(performance.now() < deadline, 'The server did not get what was sent.');
        await turn();
      }
    };
    proxy.holdReplies();
    const appended = far.append(shard, entry);
    await until(({ head }) => head === 1);
    proxy.cut();
    assert.deepEqual(
      await appended,
      { status: 'ok', head: 1, ticket: 1 },
      'The ticket is told though the first telling was lost.',
    );

    proxy.holdReplies();
    const state = { keys: ['k'], states: [entry.bytes], removed: [] };
    const committed = far.commit({ shard, epoch, from: 0, position: 1, model: 'm', ...state });
    await until(({ position }) => position === 1);
    proxy.cut();
    await committed;

    proxy.holdReplies();
    const released = far.release(shard, { epoch, keep: false });
    await until(({ ticket }) => ticket === null);
    proxy.cut();
    assert.deepEqual(await released, { drained: true, ticket: null });
    const [{ position, head, logBytes, series }] = await near.status();
    assert.deepEqual({ position, head, logBytes, series }, { position: 1, head: 1, logBytes: 0, series: 1 });
  });

test('redis: of a transaction whose connection is cut again and again in the middle all is done, or nothing', {
  timeout: 60_000,
}, async () => {
  const prefix = `test:${randomUUID()}`;
  await using proxy = await openTcpProxy(target);
  await using near = await createRedisShardStore({ url, prefix, logBytesMax: 1_000 });
  await using far = await createRedisShardStore({ url: urlThrough(proxy, url), prefix, logBytesMax: 1_000 });
  const { epoch } = await far.claim(shard, 'a');
  await far.append(shard, entry);
  const keys = Array.from({ length: 20_000 }, (_, index) => `S${index}`);
  const SIZE = 1_000;
  const ROUNDS = 12;
  let position = 0;
  let failed = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const states = keys.map(() => new Uint8Array(SIZE).fill(round));
    const commit = { shard, epoch, from: position, position: round, model: 'm', keys, states, removed: [] };
    const outcome = far.commit(commit).then(
      () => true,
      () => false,
    );
    // 20 MB take several turns of the event loop on their way; each round is cut somewhat later.
    for (let turns = 0; turns < round * 3; turns += 1) await turn();
    proxy.cut();
    const done = await outcome;
    const [status] = await near.status();
    if (done) assert.equal(status.position, round);
    else failed += 1;
    assert.ok(status.position === round || status.position === position, `${status.position}`);
    position = status.position;
    const found = await near.load(shard, keys);
    const wrong = found.filter((bytes) => (bytes?.[0] ?? 0) !== position || (bytes?.[SIZE - 1] ?? 0) !== position);
    assert.equal(wrong.length, 0, `round ${round}: ${wrong.length} states are not those of position ${position}`);
  }
  assert.equal(
    await near.release(shard, { epoch, keep: false }).then(({ drained }) => drained),
    true,
    `${failed} failed`,
  );
});

test('redis: a server without memory refuses a transaction whole; with memory again it is done', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-oom-'));
  // A Redis of its own: its bound is nobody else's.
  const server = await startRedis({ folder });
  const redis = await openRedis(server.address, quiet);
  try {
    await using store = await createRedisShardStore({ connection: redis, logBytesMax: 1_000, transactionFromBytes: 0 });
    await store.append(shard, entry);
    const { epoch } = await store.claim(shard, 'a');
    const states = [new Uint8Array(200_000).fill(7)];
    const commit = { shard, epoch, from: 0, position: 1, model: 'm', keys: ['k'], states, removed: [] };
    await redis.config('SET', 'maxmemory', '1');
    await assert.rejects(store.commit(commit), (error: Error) => {
      assert.ok(error instanceof RetryableError, `${error}`);
      assert.match(error.message, /out of memory: raise maxmemory/);
      return true;
    });
    await redis.config('SET', 'maxmemory', '0');
    assert.deepEqual(await store.load(shard, ['k']), [null]);
    await store.commit(commit);
    assert.deepEqual([...((await store.load(shard, ['k']))[0] ?? [])].slice(0, 3), [7, 7, 7]);
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test('redis: while the server is gone an operation fails as retryable, with one warning', {
  timeout: 30_000,
}, async () => {
  const warnings: string[] = [];
  const prefix = `test:${randomUUID()}`;
  const proxy = await openTcpProxy(target);
  await using store = await createRedisShardStore({
    url: urlThrough(proxy, url),
    prefix,
    logBytesMax: 1_000,
    onWarning: (message) => warnings.push(message),
  });
  warnings.length = 0;
  await proxy[Symbol.asyncDispose]();
  await assert.rejects(store.append(shard, entry), RetryableError);
  assert.equal(warnings.length, 1, warnings.join());
  assert.match(warnings[0], /is lost/);
});

test('redis live feed: a server that stalls holds nobody up; the newest lines are kept', {
  timeout: 30_000,
}, async () => {
  const channel = randomUUID();
  await using proxy = await openTcpProxy(target);
  await using far = await createRedisLiveFeed({ url: urlThrough(proxy, url), channel, waitingLinesMax: 100 });
  await using near = await createRedisLiveFeed({ url, channel });
  const heard: string[] = [];
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  await near.subscribe((lines) => {
    heard.push(...lines);
    if (heard.includes('x a=999 1')) done();
  });
  proxy.holdReplies();
  for (let at = 0; at < 1_000; at += 1) far.publish(PointLines.of([`x a=${at} 1`]));
  proxy.heal();
  await all;
  const newest = Array.from({ length: 100 }, (_, index) => `x a=${900 + index} 1`);
  assert.deepEqual(heard, ['x a=0 1', ...newest]);
});

test('redis live feed: a subscriber whose connection broke in silence notices, and hears again', {
  timeout: 30_000,
}, async () => {
  const channel = randomUUID();
  await using proxy = await openTcpProxy(target);
  await using far = await createRedisLiveFeed({ url: urlThrough(proxy, url), channel, pingIntervalMs: 100 });
  await using near = await createRedisLiveFeed({ url, channel });
  const heard: string[] = [];
  let wake = () => {};
  await far.subscribe((lines) => {
    heard.push(...lines);
    wake();
  });
  const hears = async (line: string) => {
    // A feed loses what nobody hears: said again until it is heard.
    while (!heard.includes(line)) {
      near.publish(PointLines.of([line]));
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 20);
      });
    }
  };
  await hears('before a=1 1');
  proxy.halfOpen();
  await hears('after a=1 2');
});
