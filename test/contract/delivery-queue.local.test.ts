import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLmdbDeliveryQueue } from '@tideline/adapters';
import { RetryableError } from '@tideline/pipeline';
import { eventually } from '../stack/index.ts';

const SHARD = { topic: 'calls', partition: 0 };
const delivery = (i: number) => ({ id: `a-${i}`, content: `{"n":${i}}`, offset: i });

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-deliveries-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a delivery in the folder is handed out with its attempts until it is done, also by the next process, and then never again', () =>
  inFolder(async (folder) => {
    const handed: [id: string, attempts: number, content: string][] = [];
    {
      await using queue = createLmdbDeliveryQueue({ folder });
      await queue.add(SHARD, [delivery(1), delivery(1), delivery(2)], 3);
      assert.deepEqual([await queue.waiting(), await queue.position(SHARD)], [2, 3]);
      await queue.work(
        async ({ id, attempts, content }) => {
          handed.push([id, attempts, content]);
          return id === 'a-1' ? { done: true } : { done: false, againAfterMs: attempts === 0 ? 1 : 3_600_000 };
        },
        { concurrency: 2 },
      );
      await eventually(
        'the second one was tried twice',
        async () => handed.length === 3 && (await queue.waiting()) === 1,
      );
    }
    await using queue = createLmdbDeliveryQueue({ folder });
    assert.deepEqual([await queue.waiting(), await queue.position(SHARD)], [1, 3]);
    await queue.add(SHARD, [delivery(1), delivery(2)], 3);
    assert.equal(await queue.waiting(), 1);
    assert.deepEqual(handed.sort(), [
      ['a-1', 0, '{"n":1}'],
      ['a-2', 0, '{"n":2}'],
      ['a-2', 1, '{"n":2}'],
    ]);
  }));

test('a handler that throws is asked again and told of; more than may wait is refused whole', () =>
  inFolder(async (folder) => {
    const errors: string[] = [];
    await using queue = createLmdbDeliveryQueue({
      ...{ folder, waitingMax: 2, errorAgainMs: 5 },
      onError: ({ message }) => errors.push(message),
    });
    await queue.add(SHARD, [delivery(1)], 2);
    await assert.rejects(queue.add(SHARD, [delivery(2), delivery(3)], 4), RetryableError);
    assert.deepEqual([await queue.waiting(), await queue.position(SHARD)], [1, 2]);
    let asked = 0;
    await queue.work(
      async () => {
        asked += 1;
        if (asked < 3) throw new Error('The dead letter cannot be kept.');
        return { done: true };
      },
      { concurrency: 1 },
    );
    await eventually('it is done', async () => (await queue.waiting()) === 0);
    assert.deepEqual([asked, errors.length], [3, 2]);
  }));
