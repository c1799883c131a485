import { setImmediate } from 'node:timers/promises';

/** Training keeps the thread to itself: awaited between two epochs or batches, this lets a signal through. */
export function letSignalsThrough(): Promise<void> {
  return setImmediate();
}
