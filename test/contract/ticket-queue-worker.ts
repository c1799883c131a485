/** A process that takes a ticket and never ends it: `node ticket-queue-worker.js URL NAME`. Says `taken` once it has it. */
import { createBullTicketQueue } from '@tideline/adapters';

const [url, name] = process.argv.slice(2);
const queue = await createBullTicketQueue({ url, name, lockDurationMs: 1_500, stalledIntervalMs: 500 });
await queue.work(
  () => {
    process.stdout.write('taken\n');
    return new Promise(() => undefined);
  },
  { concurrency: 1 },
);
