import type { Arrivals, Forecast, LivePoint, TurnPoint } from './live-point.ts';

/** What one record of a series gave, as the page gets it. */
export interface ForecastRow {
  /** Event time, epoch ms; fractions keep records of one ms apart. */
  readonly timeMs: number;
  readonly last: number;
  /** Ascending by the time that they speak of. */
  readonly forecasts: readonly Forecast[];
}

export interface SentimentRow {
  readonly timeMs: number;
  readonly speaker: string;
  readonly score: number;
  readonly callScore: number;
  readonly escalation: number | null;
  readonly probabilities: readonly [number, number, number] | null;
  readonly satisfaction: number | null;
  /** Of the newest turns, where texts are kept: redacted and cut. */
  readonly text?: string;
}

export interface ArrivalsRow {
  readonly timeMs: number;
  readonly last: number;
  /** Ascending by the time that they speak of. */
  readonly arrivals: readonly Arrivals[];
}

export type SeriesRow = ForecastRow | SentimentRow | ArrivalsRow;

interface Entry {
  readonly timeNs: bigint;
  /** The board's revision at the entry's last change. */
  readonly revision: number;
  readonly row: SeriesRow;
}

const NS_A_MS = 1_000_000n;
/** Bounds of the texts of a call: those of its newest turns, cut. */
const TEXTS_MAX = 80;
const TEXT_CHARACTERS_MAX = 600;

/** The newest records of one series in event order, a bounded ring. A point that comes twice is one; a late one takes its place. */
export class SeriesRows {
  readonly #rowsMax: number;
  readonly #entries: Entry[] = [];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  add(point: LivePoint, revision: number): void {
    const { timeNs } = point;
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0 && entries[at - 1].timeNs > timeNs) at -= 1;
    const before = entries[at - 1];
    if (before?.timeNs === timeNs) {
      entries[at - 1] = { timeNs, revision, row: rowOf(point, before.row) };
      return;
    }
    if (at === 0 && entries.length === this.#rowsMax) return;
    entries.splice(at, 0, { timeNs, revision, row: rowOf(point, undefined) });
    if (entries.length > this.#rowsMax) entries.shift();
  }

  /** Notes what was said at a row. False: there is no such turn. */
  addText({ timeNs, text }: Pick<TurnPoint, 'timeNs' | 'text'>, revision: number): boolean {
    const entries = this.#entries;
    const at = entries.findLastIndex((entry) => entry.timeNs === timeNs);
    const row = entries[at]?.row;
    if (row === undefined || !('speaker' in row)) return false;
    entries[at] = { timeNs, revision, row: { ...row, text: text.slice(0, TEXT_CHARACTERS_MAX) } };
    const old = entries[at - TEXTS_MAX];
    if (old !== undefined && 'text' in old.row) {
      const { text: _, ...rest } = old.row;
      entries[at - TEXTS_MAX] = { ...old, row: rest };
    }
    return true;
  }

  /** Rows that changed after `revision`, oldest first, the newest `limit` of them. */
  since(revision: number, limit: number): SeriesRow[] {
    const changed = revision === 0 ? this.#entries : this.#entries.filter((entry) => entry.revision > revision);
    return changed.slice(-limit).map(({ row }) => row);
  }
}

function rowOf(point: LivePoint, before: SeriesRow | undefined): SeriesRow {
  const { timeNs } = point;
  const timeMs = Number(timeNs / NS_A_MS) + Number(timeNs % NS_A_MS) / 1e6;
  if (point.kind === 'sentiment') {
    const { speaker, score, callScore, escalation, probabilities, satisfaction } = point;
    const text = before !== undefined && 'text' in before ? { text: before.text } : {};
    return { timeMs, speaker, score, callScore, escalation, probabilities, satisfaction, ...text };
  }
  if (point.kind === 'arrivals') {
    const others = before !== undefined && 'arrivals' in before ? before.arrivals : [];
    const arrivals = others
      .filter(({ horizon }) => horizon !== point.arrivals.horizon)
      .concat(point.arrivals)
      .sort((a, b) => a.targetMs - b.targetMs);
    return { timeMs, last: point.last, arrivals };
  }
  const known = before !== undefined && 'forecasts' in before ? before.forecasts : [];
  const forecasts = known
    .filter(({ horizon }) => horizon !== point.forecast.horizon)
    .concat(point.forecast)
    .sort((a, b) => a.targetMs - b.targetMs || Number.parseFloat(`${a.horizon}`) - Number.parseFloat(`${b.horizon}`));
  return { timeMs, last: point.last, forecasts };
}
