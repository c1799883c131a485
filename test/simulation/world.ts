import type { Chance } from './chance.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimProcess } from './sim-process.ts';

/** Overrides the seed's choice at awaits: a test that crashes at exactly the k-th one. */
export type AwaitFate = 'go' | 'crash' | 'pause';

/** What every part of one simulated world shares: time, chance, faults. */
export class World {
  readonly chance: Chance;
  readonly faults: FaultPlan;
  readonly scheduler: Scheduler;
  /** Awaits of processes that have ended so far. */
  awaits = 0;
  readonly #crashAtAwait: number | null;
  #pace = 1;

  constructor(parts: {
    readonly chance: Chance;
    readonly faults: FaultPlan;
    readonly scheduler: Scheduler;
    readonly crashAtAwait: number | null;
  }) {
    this.chance = parts.chance;
    this.faults = parts.faults;
    this.scheduler = parts.scheduler;
    this.#crashAtAwait = parts.crashAtAwait;
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  note(text: string): void {
    this.scheduler.trace.add(this.nowMs, text);
  }

  atAwait(process: SimProcess): AwaitFate {
    this.awaits += 1;
    if (this.awaits === this.#crashAtAwait) {
      this.faults.count(`crash-${process.role}`);
      return 'crash';
    }
    if (this.faults.strikes(`crash-${process.role}`)) return 'crash';
    if (this.faults.strikes(`pause-${process.role}`)) return 'pause';
    return 'go';
  }

  /** How much longer than asked a sleep takes now. */
  clockPace(): number {
    return this.#pace * (0.9 + 0.2 * this.chance.number());
  }

  /** Clocks run fast or slow from now on. */
  setPace(pace: number): void {
    this.#pace = pace;
  }
}
