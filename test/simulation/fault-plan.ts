/**
 * Which faults a seed has, and how often. Each run draws a subset of kinds (a run with every fault at once makes so little progress that
 * it reaches few states), and a rate for each. From `untilMs` on nothing new goes wrong: what is left must drain.
 */
import type { Chance } from './chance.ts';

export const FAULT_KINDS = [
  'crash-forecaster',
  'crash-ingest',
  'crash-operator',
  'pause-forecaster',
  'pause-ingest',
  'pause-operator',
  'stop-forecaster',
  'stop-ingest',
  'request-lost',
  'reply-lost',
  'effect-late',
  'reply-slow',
  'redis-down',
  'redis-rollback',
  'redis-erased',
  'influx-down',
  'influx-partial-write',
  'influx-failure',
  'kafka-down',
  'rebalance',
  'batch-repeated',
  'ticket-repeated',
  'ticket-lost',
  'lock-lost',
  'lock-loss-unseen',
  'clock-jump',
  'engine-failure',
  'retention',
  'compaction',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that strike once in a while, whatever is going on: mean time between two in virtual ms, drawn log-uniformly. */
const PERIOD_MS: Partial<Record<FaultKind, readonly [number, number]>> = {
  'stop-forecaster': [1_000, 8_000],
  'stop-ingest': [1_000, 8_000],
  'redis-down': [1_500, 10_000],
  'redis-rollback': [1_500, 10_000],
  'redis-erased': [3_000, 15_000],
  'influx-down': [1_500, 10_000],
  'kafka-down': [1_500, 10_000],
  rebalance: [500, 5_000],
  'clock-jump': [1_000, 8_000],
  retention: [200, 3_000],
  compaction: [300, 4_000],
};

/** Faults that strike at an await or a request: probability of each, drawn log-uniformly. */
const PROBABILITY: Partial<Record<FaultKind, readonly [number, number]>> = {
  'crash-forecaster': [0.001, 0.03],
  'crash-ingest': [0.001, 0.03],
  'crash-operator': [0.01, 0.2],
  'pause-forecaster': [0.001, 0.03],
  'pause-ingest': [0.001, 0.03],
  'pause-operator': [0.01, 0.2],
  'request-lost': [0.003, 0.1],
  'reply-lost': [0.003, 0.1],
  'effect-late': [0.003, 0.1],
  'reply-slow': [0.003, 0.1],
  'influx-partial-write': [0.02, 0.4],
  'influx-failure': [0.01, 0.1],
  'batch-repeated': [0.01, 0.2],
  'ticket-repeated': [0.02, 0.3],
  'ticket-lost': [0.01, 0.2],
  'lock-lost': [0.01, 0.2],
  'lock-loss-unseen': [0.3, 1],
  'engine-failure': [0.003, 0.05],
};

const KIND_PROBABILITY = 0.3;

export class FaultPlan {
  readonly counts = new Map<FaultKind, number>();
  readonly #chance: Chance;
  readonly #rates = new Map<FaultKind, number>();
  #quiet = false;

  constructor(chance: Chance, kinds: readonly FaultKind[] | 'drawn') {
    this.#chance = chance;
    for (const kind of FAULT_KINDS) {
      const range = PERIOD_MS[kind] ?? PROBABILITY[kind];
      if (range === undefined) throw new RangeError(`Fault '${kind}' has no rate.`);
      const isDrawn = chance.is(KIND_PROBABILITY);
      const drawnRate = chance.magnitude(range[0], range[1]);
      if (kinds === 'drawn' && isDrawn) this.#rates.set(kind, drawnRate);
      // Asked for by name, a kind is as frequent as it gets.
      if (kinds !== 'drawn' && kinds.includes(kind)) this.#rates.set(kind, range[kind in PERIOD_MS ? 0 : 1]);
    }
  }

  /** From now on nothing goes wrong. */
  end(): void {
    this.#quiet = true;
  }

  get isOver(): boolean {
    return this.#quiet;
  }

  /** Whether `kind` strikes at this await or request; counted where it does. */
  strikes(kind: FaultKind): boolean {
    const rate = this.#rates.get(kind);
    if (this.#quiet || rate === undefined || !this.#chance.is(rate)) return false;
    this.count(kind);
    return true;
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** Virtual time to the next one of a fault that strikes once in a while; null where this seed has none. */
  nextMs(kind: FaultKind): number | null {
    const period = this.#rates.get(kind);
    if (this.#quiet || period === undefined) return null;
    return -Math.log(1 - this.#chance.number()) * period;
  }
}
