import { createMemoryTicketQueue } from '@tideline/adapters';
import { ticketQueueContract } from './ticket-queue.ts';

ticketQueueContract({
  name: 'memory queue',
  shared: false,
  open: (_name, onError) => Promise.resolve(createMemoryTicketQueue({ onError })),
});
