import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createMemoryTicketQueue } from '@tideline/adapters';
import type { Ticket } from '@tideline/pipeline';

const ticket = (partition: number, number = 1): Ticket => ({ shard: { topic: 'ticks', partition }, number });

/** A promise and the function that resolves it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('memory queue: tickets are served in the order of their announcement, never more than the concurrency at once', async () => {
  await using queue = createMemoryTicketQueue();
  const served: number[] = [];
  let running = 0;
  let runningMost = 0;
  const all = gate();
  for (let partition = 0; partition < 5; partition += 1) await queue.announce(ticket(partition));
  await queue.work(
    async ({ shard }) => {
      running += 1;
      runningMost = Math.max(runningMost, running);
      served.push(shard.partition);
      await turn();
      running -= 1;
      if (served.length === 10) all.open();
    },
    { concurrency: 2 },
  );
  for (let partition = 5; partition < 10; partition += 1) await queue.announce(ticket(partition));
  await all.opened;
  assert.deepEqual(served, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(runningMost, 2);
});

test('memory queue: a ticket announced twice while it waits or runs is one ticket; its successor is another', async () => {
  await using queue = createMemoryTicketQueue();
  const served: number[] = [];
  const [first, second, third] = [gate(), gate(), gate()];
  await queue.announce(ticket(0, 1));
  await queue.announce(ticket(0, 1));
  await queue.work(
    async ({ number }) => {
      served.push(number);
      if (served.length === 1) {
        await queue.announce(ticket(0, 1));
        await queue.announce(ticket(0, 2));
        first.open();
      }
      if (served.length === 2) second.open();
      if (served.length === 3) third.open();
    },
    { concurrency: 1 },
  );
  await Promise.all([first.opened, second.opened]);
  await turn();
  assert.deepEqual(served, [1, 2]);
  await queue.announce(ticket(0, 1));
  await third.opened;
  assert.deepEqual(served, [1, 2, 1], 'A ticket that has been served can be announced again.');
});

test('memory queue: a ticket whose handler threw is told and delivered again before the others', async () => {
  const errors: unknown[] = [];
  await using queue = createMemoryTicketQueue({ redeliverAfterMs: 1, onError: (error) => errors.push(error) });
  const served: number[] = [];
  const done = gate();
  for (const partition of [0, 1]) await queue.announce(ticket(partition));
  const fault = new Error('The lock is lost.');
  await queue.work(
    async ({ shard }) => {
      served.push(shard.partition);
      if (served.length <= 2) throw fault;
      if (shard.partition === 1) done.open();
    },
    { concurrency: 1 },
  );
  await done.opened;
  assert.deepEqual(served, [0, 0, 0, 1]);
  assert.deepEqual(errors, [fault, fault]);
});

test('memory queue: draining waits for the handlers that run and takes no ticket more', async () => {
  const queue = createMemoryTicketQueue();
  const [begun, goOn] = [gate(), gate()];
  const ended: number[] = [];
  await queue.work(
    async ({ shard }) => {
      begun.open();
      await goOn.opened;
      ended.push(shard.partition);
    },
    { concurrency: 1 },
  );
  await queue.announce(ticket(0));
  await queue.announce(ticket(1));
  await begun.opened;
  const drained = queue.drain();
  goOn.open();
  await drained;
  assert.deepEqual(ended, [0]);
  await queue[Symbol.asyncDispose]();
});
