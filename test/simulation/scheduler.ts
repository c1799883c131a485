/**
 * Virtual time. Whatever the simulated world does is an event in one queue; nothing else makes code run.
 *
 * Step 1. The event that is due first is taken (ties by the order of scheduling), and its label goes into the trace.
 * Step 2. It runs; then every microtask that it caused runs, so that all code stands at an await of a simulated port again.
 * The seed draws each event's delay, so it decides every interleaving. Two runs of a seed have the same trace.
 */
import type { TraceDigest } from './trace-digest.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly label: string;
  readonly run: () => void;
}

export interface SchedulerLimits {
  readonly eventsMax: number;
}

export type RunEnd = 'done' | 'out-of-time' | 'out-of-events' | 'nothing-pending';

export class Scheduler {
  readonly trace: TraceDigest;
  readonly #limits: SchedulerLimits;
  readonly #heap: Pending[] = [];
  #nowMs = 0;
  #order = 0;
  #events = 0;

  constructor(limits: SchedulerLimits, trace: TraceDigest) {
    this.#limits = limits;
    this.trace = trace;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run. */
  get events(): number {
    return this.#events;
  }

  after(delayMs: number, label: string, run: () => void): void {
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, label, run });
    this.#order += 1;
  }

  /** Runs events until `isDone` holds after one, or virtual time or the bound on events is used up. */
  async run(options: { readonly untilMs: number; readonly isDone: () => boolean }): Promise<RunEnd> {
    for (;;) {
      if (options.isDone()) return 'done';
      if (this.#events >= this.#limits.eventsMax) return 'out-of-events';
      const next = this.#heap[0];
      if (next === undefined) return 'nothing-pending';
      if (next.atMs > options.untilMs) return 'out-of-time';
      // Step 1.
      this.#pop();
      this.#nowMs = next.atMs;
      this.#events += 1;
      this.trace.add(next.atMs, next.label);
      // Step 2. An immediate runs when no microtask is left.
      next.run();
      await microtasksDone();
    }
  }

  #push(event: Pending): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

function microtasksDone(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Pending, b: Pending): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
