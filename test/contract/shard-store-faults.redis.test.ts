import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createRedisShardStore, openRedis } from '@tideline/adapters';
import { ConfigError, RetryableError } from '@tideline/pipeline';

const url = process.env.TIDELINE_TEST_REDIS ?? '';
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

test('redis: a server that forgot the scripts, or cut the connection, is served on', async () => {
  const redis = await openRedis(url, quiet);
  await using store = await createRedisShardStore({
    connection: redis,
    prefix: `test:${randomUUID()}`,
    logBytesMax: 1_000,
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

test('redis: a store on a connection of the caller leaves it open', async () => {
  const redis = await openRedis(url, quiet);
  const store = await createRedisShardStore({ connection: redis, prefix: `test:${randomUUID()}`, logBytesMax: 1_000 });
  await store[Symbol.asyncDispose]();
  assert.equal(await redis.ping(), 'PONG');
  await redis.quit();
});
