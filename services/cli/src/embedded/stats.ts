import type { PipelineEvent } from '@tideline/pipeline';

/** Figures for the page's header. */
export interface EmbeddedStats {
  readonly records: number;
  readonly forecasts: number;
  readonly series: number;
  readonly lagRecords: number;
  readonly recordsPerSecond: number;
  readonly deadLetters: number;
  readonly engine: string;
  readonly mode: string;
}

const WINDOW_MS = 5_000;

/** Counts the pipeline's events of this process. */
export class StatsCounter {
  records = 0;
  /** Late and repeated records, and those of them that went to the dead letters. */
  late = 0;
  refused = 0;
  #forecasts = 0;
  #appended = 0;
  #deadLetters = 0;
  /** Times and sizes of the commits of the last few seconds. */
  #recent: { readonly at: number; readonly records: number }[] = [];

  readonly onEvent = (event: PipelineEvent): void => {
    if (event.type === 'appended') this.#appended += event.records;
    else if (event.type === 'dead-lettered') this.#deadLetters += 1;
    else if (event.type === 'late') {
      this.late += event.late + event.repeated;
    } else if (event.type === 'committed') {
      this.refused += event.refused;
      this.records += event.records;
      this.#forecasts += event.forecasts;
      this.#recent.push({ at: performance.now(), records: event.records });
    }
  };

  stats(state: { readonly engine: string; readonly series: number }): EmbeddedStats {
    const since = performance.now() - WINDOW_MS;
    this.#recent = this.#recent.filter(({ at }) => at >= since);
    const inWindow = this.#recent.reduce((sum, { records }) => sum + records, 0);
    return {
      ...state,
      records: this.records,
      forecasts: this.#forecasts,
      lagRecords: Math.max(0, this.#appended - this.records),
      recordsPerSecond: inWindow / (WINDOW_MS / 1000),
      deadLetters: this.#deadLetters,
      mode: 'embedded',
    };
  }
}
