import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBullTicketQueue } from '@tideline/adapters';
import { ensureInstalled, startRedis } from '@tideline/native';
import { RetryableError, type Ticket } from '@tideline/pipeline';
import { eventually } from '../stack/index.ts';

const ticket = (number: number): Ticket => ({ shard: { topic: 'ticks', partition: 0 }, number });

test('BullMQ queue: after Redis was killed and started again the same workers serve on', async (t) => {
  await ensureInstalled({ servers: ['redis'] });
  const folder = await mkdtemp(join(tmpdir(), 'tideline-redis-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({ folder, password: 'a secret/word'.replace(' ', '-') });
  const troubles: Error[] = [];
  await using queue = await createBullTicketQueue({
    url: redis.address,
    name: 'tickets',
    onError: (error) => void troubles.push(error),
  });
  const handled: number[] = [];
  await queue.work(async ({ number }) => void handled.push(number), { concurrency: 2 });
  await queue.announce(ticket(1));
  await eventually('the first is handled', () => handled.includes(1));
  await redis.kill();
  await using again = await startRedis({ folder, port: redis.port, password: 'a-secret/word' });
  await eventually('the second is announced', async () => {
    try {
      await queue.announce(ticket(2));
      return true;
    } catch (error) {
      assert.ok(error instanceof RetryableError);
      return false;
    }
  });
  await eventually('the second is handled', () => handled.includes(2));
  assert.ok(troubles.every((error) => !error.message.includes('secret')));
  await queue.drain();
  void again;
});

test('BullMQ queue: it can be closed while Redis is away', async (t) => {
  await ensureInstalled({ servers: ['redis'] });
  const folder = await mkdtemp(join(tmpdir(), 'tideline-redis-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({ folder });
  const queue = await createBullTicketQueue({ url: redis.address, name: 'tickets' });
  await queue.work(async () => undefined, { concurrency: 1 });
  await redis.kill();
  await queue[Symbol.asyncDispose]();
});
