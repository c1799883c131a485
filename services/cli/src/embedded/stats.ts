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
/** The window in parts: nobody may ask for the figures in a week, so commits are summed, not kept. */
const PART_MS = 250;
const PARTS = WINDOW_MS / PART_MS;

/** Counts the pipeline's events of this process. */
export class StatsCounter {
  records = 0;
  /** Late and repeated records, and those of them that went to the dead letters. */
  late = 0;
  refused = 0;
  #forecasts = 0;
  #appended = 0;
  #deadLetters = 0;
  /** Records of the window's parts: part n since the clock's zero is at n % PARTS. */
  readonly #recent = Array.from({ length: PARTS }, () => ({ part: -1, records: 0 }));

  readonly onEvent = (event: PipelineEvent): void => {
    if (event.type === 'appended') this.#appended += event.records;
    else if (event.type === 'dead-lettered') this.#deadLetters += 1;
    else if (event.type === 'late') {
      this.late += event.late + event.repeated;
    } else if (event.type === 'committed') {
      this.refused += event.refused;
      this.records += event.records;
      this.#forecasts += event.forecasts;
      this.#count(event.records);
    }
  };

  stats(state: { readonly engine: string; readonly series: number }): EmbeddedStats {
    const since = Math.floor(performance.now() / PART_MS) - PARTS;
    const inWindow = this.#recent.reduce((sum, { part, records }) => sum + (part > since ? records : 0), 0);
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

  #count(records: number): void {
    const part = Math.floor(performance.now() / PART_MS);
    const place = this.#recent[part % PARTS];
    place.records = place.part === part ? place.records + records : records;
    place.part = part;
  }
}
