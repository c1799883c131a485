import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createBullTicketQueue, openRedis } from '@tideline/adapters';
import { RetryableError, type Ticket } from '@tideline/pipeline';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { gate, ticketQueueContract } from './ticket-queue.ts';

const url = stackAddresses().redis;
const WORKER = fileURLToPath(new URL('./ticket-queue-worker.js', import.meta.url));
const TICKET: Ticket = { shard: { topic: 'ticks', partition: 3 }, number: 12 };

ticketQueueContract({
  name: 'BullMQ queue',
  shared: true,
  open: (name, onError) => createBullTicketQueue({ url, name, onError }),
});

test('BullMQ queue: the ticket of a worker that was killed is handled by another within 5 s', async () => {
  const name = uniqueName('tickets');
  await using queue = await createBullTicketQueue({ url, name, lockDurationMs: 1_500, stalledIntervalMs: 500 });
  const victim = spawn(process.execPath, [WORKER, url, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  await queue.announce(TICKET);
  await once(victim.stdout, 'data');
  const taken: Ticket[] = [];
  await queue.work(async (ticket) => void taken.push(ticket), { concurrency: 1 });
  victim.kill('SIGKILL');
  const killed = Date.now();
  await eventually('another worker has it', () => taken.length > 0);
  assert.deepEqual(taken, [TICKET]);
  assert.ok(Date.now() - killed < 5_000, `${Date.now() - killed} ms`);
});

test('BullMQ queue: a ticket survives as many killed workers as there are', async () => {
  const name = uniqueName('tickets');
  await using queue = await createBullTicketQueue({ url, name, lockDurationMs: 600, stalledIntervalMs: 300 });
  await queue.announce(TICKET);
  for (let round = 0; round < 3; round += 1) {
    const victim = spawn(process.execPath, [WORKER, url, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(victim.stdout, 'data');
    victim.kill('SIGKILL');
    await once(victim, 'exit');
  }
  let taken = 0;
  await queue.work(
    async () => {
      taken += 1;
    },
    { concurrency: 1 },
  );
  await eventually('it is handled', () => taken === 1);
});

test('BullMQ queue: a handler whose lock is lost is told by its signal', async () => {
  const name = uniqueName('tickets');
  await using queue = await createBullTicketQueue({ url, name, lockDurationMs: 1_000, stalledIntervalMs: 500 });
  const redis = await openRedis(url, { name: 'test', onWarning: () => undefined });
  const aborted = gate();
  let taken = 0;
  await queue.work(
    async (_ticket, signal) => {
      taken += 1;
      if (taken > 1) return;
      signal.addEventListener('abort', aborted.open);
      await aborted.opened;
    },
    { concurrency: 1 },
  );
  await queue.announce(TICKET);
  await eventually('the handler runs', () => taken === 1);
  // As if another worker had taken it: the lock is somebody else's.
  await redis.set(`bull:${name}:ticks-3-12:lock`, 'another', 'PX', 1_000);
  await aborted.opened;
  redis.disconnect();
  await eventually('it comes again', () => taken === 2);
});

test('BullMQ queue: a wrong address is told with the address and the cure', async () => {
  await assert.rejects(createBullTicketQueue({ url: 'redis://127.0.0.1:1', name: 'q' }), (error: Error) => {
    assert.ok(error instanceof RetryableError);
    assert.match(error.message, /redis:\/\/127\.0\.0\.1:1 .*Start Redis there, or correct the address/);
    return true;
  });
});
