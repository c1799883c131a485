/** What every TicketQueue promises: a ticket that was announced is handled, by one worker at a time, until a handler has returned for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ticket, TicketQueue } from '@tideline/pipeline';
import { eventually, uniqueName } from '../stack/index.ts';

export interface TicketQueueSubject {
  readonly name: string;
  /** Opens the queue of that name. `onError` is told of handlers that threw. */
  open(name: string, onError: (error: unknown) => void): Promise<TicketQueue>;
  /** Two queues of one name share their tickets (a server holds them). */
  readonly shared: boolean;
}

const ticket = (partition: number, number = 1): Ticket => ({ shard: { topic: 'ticks', partition }, number });
const idOf = ({ shard, number }: Ticket): string => `${shard.topic}-${shard.partition}-${number}`;

/** A promise and the function that resolves it. */
export function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Registers the suite's tests. */
export function ticketQueueContract(subject: TicketQueueSubject): void {
  const openQueue = (name = uniqueName('tickets'), onError: (error: unknown) => void = () => undefined) =>
    subject.open(name, onError);

  test(`${subject.name}: tickets announced before and after the workers stand ready are all handled`, async () => {
    await using queue = await openQueue();
    const handled: string[] = [];
    for (let partition = 0; partition < 5; partition += 1) await queue.announce(ticket(partition));
    await queue.work(async (taken) => void handled.push(idOf(taken)), { concurrency: 2 });
    for (let partition = 5; partition < 10; partition += 1) await queue.announce(ticket(partition));
    await eventually('ten tickets are handled', () => handled.length === 10);
    assert.deepEqual(new Set(handled).size, 10);
  });

  test(`${subject.name}: a ticket announced again while it waits or runs is one ticket`, async () => {
    await using queue = await openQueue();
    const handled: string[] = [];
    await queue.announce(ticket(0));
    await queue.announce(ticket(0));
    const running = gate();
    await queue.work(
      async (taken) => {
        handled.push(idOf(taken));
        if (handled.length === 1) await running.opened;
      },
      { concurrency: 4 },
    );
    await eventually('the ticket runs', () => handled.length === 1);
    await queue.announce(ticket(0));
    await queue.announce(ticket(0, 2));
    await eventually('its successor runs', () => handled.length === 2);
    running.open();
    await queue.announce(ticket(1));
    await eventually('another shard is served', () => handled.includes('ticks-1-1'));
    assert.deepEqual(handled, ['ticks-0-1', 'ticks-0-2', 'ticks-1-1']);
  });

  test(`${subject.name}: a ticket that has been handled can be announced again`, async () => {
    await using queue = await openQueue();
    let handled = 0;
    await queue.work(
      async () => {
        handled += 1;
      },
      { concurrency: 1 },
    );
    await queue.announce(ticket(0));
    await eventually('it is handled', () => handled === 1);
    // Until its end is known to the queue the announcement is the same ticket.
    await eventually('it is handled again', async () => {
      await queue.announce(ticket(0));
      return handled >= 2;
    });
  });

  test(`${subject.name}: never more handlers run than the concurrency allows`, async () => {
    await using queue = await openQueue();
    let running = 0;
    let most = 0;
    let handled = 0;
    for (let partition = 0; partition < 20; partition += 1) await queue.announce(ticket(partition));
    await queue.work(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        handled += 1;
      },
      { concurrency: 3 },
    );
    await eventually('all are handled', () => handled === 20);
    assert.ok(most <= 3 && most >= 1, `${most} at once`);
  });

  test(`${subject.name}: a ticket whose handler threw is told and handled again; the others go on`, async () => {
    const errors: unknown[] = [];
    await using queue = await openQueue(uniqueName('tickets'), (error) => errors.push(error));
    const handled: string[] = [];
    const fault = new Error('A fault of the handler.');
    await queue.work(
      async (taken) => {
        handled.push(idOf(taken));
        if (idOf(taken) === 'ticks-0-1' && errors.length < 3) throw fault;
      },
      { concurrency: 2 },
    );
    await queue.announce(ticket(0));
    await queue.announce(ticket(1));
    await eventually('it is handled at last', () => handled.filter((id) => id === 'ticks-0-1').length === 4);
    assert.deepEqual(errors, [fault, fault, fault]);
    assert.equal(handled.filter((id) => id === 'ticks-1-1').length, 1);
  });

  test(`${subject.name}: drain waits for the handlers that run and takes no new ticket`, async () => {
    await using queue = await openQueue();
    const release = gate();
    const handled: string[] = [];
    let ended = false;
    await queue.work(
      async (taken) => {
        handled.push(idOf(taken));
        await release.opened;
        ended = true;
      },
      { concurrency: 1 },
    );
    await queue.announce(ticket(0));
    await queue.announce(ticket(1));
    await eventually('a handler runs', () => handled.length === 1);
    const drained = queue.drain();
    release.open();
    await drained;
    assert.ok(ended);
    assert.equal(handled.length, 1);
    await queue.drain();
  });

  if (!subject.shared) return;
  test(`${subject.name}: what one process announces another handles, each ticket once`, async () => {
    const name = uniqueName('tickets');
    await using ingest = await openQueue(name);
    await using one = await openQueue(name);
    await using two = await openQueue(name);
    const handled: string[] = [];
    const handler = async (taken: Ticket) => void handled.push(idOf(taken));
    await one.work(handler, { concurrency: 2 });
    await two.work(handler, { concurrency: 2 });
    for (let partition = 0; partition < 50; partition += 1) await ingest.announce(ticket(partition));
    await eventually('all are handled', () => handled.length >= 50);
    assert.equal(new Set(handled).size, 50);
    assert.equal(handled.length, 50);
  });

  test(`${subject.name}: a ticket that a drained process did not take is handled by the next one`, async () => {
    const name = uniqueName('tickets');
    await using ingest = await openQueue(name);
    const first = await openQueue(name);
    await first.work(async () => undefined, { concurrency: 1 });
    await first[Symbol.asyncDispose]();
    await ingest.announce(ticket(7));
    await using second = await openQueue(name);
    const handled: string[] = [];
    await second.work(async (taken) => void handled.push(idOf(taken)), { concurrency: 1 });
    await eventually('it is handled', () => handled.includes('ticks-7-1'));
  });
}
