/** Figures for the page's header and `/api/stats`. */
export interface GatewayStats {
  /** Records that are in the states. */
  readonly records: number;
  readonly forecasts: number;
  readonly series: number;
  /** Records taken in and not yet in the states. */
  readonly lagRecords: number;
  readonly recordsPerSecond: number;
  /** Null where it is not known. */
  readonly deadLetters: number | null;
  readonly engine: string;
  /** `embedded` or `stack`. */
  readonly mode: string;
}

export type StatsReader = () => Promise<GatewayStats>;

/** Asks `stats` at most once in `keepMs`, however many people watch; one question at a time. A failure is asked anew. */
export function keptStats(stats: () => GatewayStats | Promise<GatewayStats>, keepMs: number): StatsReader {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<GatewayStats> | null = null;
  return () => {
    const now = performance.now();
    if (answer !== null && now - asked < keepMs) return answer;
    asked = now;
    answer = (async () => stats())();
    answer.catch(() => {
      answer = null;
    });
    return answer;
  };
}
