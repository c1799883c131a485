/** Figures of the real stack: positions and heads of the shards (Redis) at each question, counts of points and dead letters now and then. */
import type { ShardStatus, ShardStore } from '@tideline/pipeline';
import type { GatewayStats } from './gateway-stats.ts';

export interface StackStatsOptions {
  readonly store: Pick<ShardStore, 'status'>;
  /** Points in InfluxDB. */
  readonly countForecasts: () => Promise<number>;
  /** Letters in the dead-letter topic. */
  readonly countDeadLetters: () => Promise<number>;
  readonly onTrouble: (message: string) => void;
}

/** The rate is that of the last few seconds. */
const WINDOW_MS = 5_000;
/** Counting points costs InfluxDB a scan: it may take a twentieth of the time. */
const COUNTS_KEEP_MS_MIN = 3_000;
const COUNTS_KEEP_FACTOR = 20;

interface Counts {
  readonly forecasts: number | null;
  readonly deadLetters: number | null;
}

export class StackStats {
  readonly #options: StackStatsOptions;
  #samples: { readonly atMs: number; readonly records: number }[] = [];
  #counts: Counts = { forecasts: null, deadLetters: null };
  #countedAt = Number.NEGATIVE_INFINITY;
  #keepMs = 0;
  #counting: Promise<void> | null = null;

  constructor(options: StackStatsOptions) {
    this.#options = options;
  }

  /** Throws RetryableError where Redis does not answer. */
  async read(): Promise<GatewayStats> {
    const shards = await this.#options.store.status();
    this.#counting ??= this.#recount().finally(() => {
      this.#counting = null;
    });
    // The first answer waits for the counts, later ones have those of a moment ago.
    if (this.#countedAt === Number.NEGATIVE_INFINITY) await this.#counting;
    const records = sum(shards, ({ position }) => Math.max(0, position));
    const forecasters = new Set(shards.map(({ owner }) => owner).filter((owner) => owner !== '')).size;
    return {
      records,
      forecasts: this.#counts.forecasts ?? 0,
      series: sum(shards, ({ series }) => series),
      lagRecords: sum(shards, ({ position, head }) => Math.max(0, head - Math.max(0, position))),
      recordsPerSecond: this.#rate(records),
      deadLetters: this.#counts.deadLetters,
      engine: `${forecasters} forecaster${forecasters === 1 ? '' : 's'}`,
      mode: 'stack',
    };
  }

  #rate(records: number): number {
    const atMs = performance.now();
    this.#samples = this.#samples.filter((sample) => sample.atMs >= atMs - WINDOW_MS);
    this.#samples.push({ atMs, records });
    const [first] = this.#samples;
    const seconds = (atMs - first.atMs) / 1000;
    return seconds > 0 ? Math.max(0, (records - first.records) / seconds) : 0;
  }

  async #recount(): Promise<void> {
    const start = performance.now();
    if (start - this.#countedAt < this.#keepMs) return;
    const { countForecasts, countDeadLetters, onTrouble } = this.#options;
    const orTrouble = (error: unknown): null => {
      onTrouble(error instanceof Error ? error.message : String(error));
      return null;
    };
    const [forecasts, deadLetters] = await Promise.all([
      countForecasts().catch(orTrouble),
      countDeadLetters().catch(orTrouble),
    ]);
    this.#counts = { forecasts, deadLetters };
    this.#countedAt = performance.now();
    this.#keepMs = Math.max(COUNTS_KEEP_MS_MIN, COUNTS_KEEP_FACTOR * (this.#countedAt - start));
  }
}

function sum(shards: readonly ShardStatus[], value: (shard: ShardStatus) => number): number {
  return shards.reduce((total, shard) => total + value(shard), 0);
}
