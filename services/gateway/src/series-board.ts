import { CALL_END_PREFIX, type CallEnd, type CallEndPoint, parseCallEnd } from './call-end.ts';
import {
  type LivePoint,
  parseLivePoint,
  parseScorePoint,
  parseTurnPoint,
  type ScorePoint,
  TURN_PREFIX,
} from './live-point.ts';
import { type SeriesRow, SeriesRows } from './series-rows.ts';

/** How a series stands, for lists. */
export interface SeriesSummary {
  readonly kind: LivePoint['kind'];
  readonly stream: string;
  readonly series: string;
  readonly model: string;
  /** Of calls and arrivals. */
  readonly queue?: string;
  readonly agent?: string;
  readonly newest: SeriesRow;
  /** Its last values (price, or sentiment of the call so far), oldest first: what a sparkline shows. */
  readonly spark: readonly number[];
  /** How good its forecasts have been, a horizon each; absent where none was scored. */
  readonly scores?: readonly ScorePoint[];
  /** True where the call is over: what was found of it comes with its rows. */
  readonly isOver?: true;
}

export interface SeriesBoardOptions {
  readonly seriesMax?: number;
  readonly rowsMax?: number;
}

interface Series {
  readonly rows: SeriesRows;
  point: LivePoint;
  revision: number;
  readonly scores: Map<string, ScorePoint>;
  /** Of a call that is over; with the revision at which that was heard. */
  end: (CallEndPoint & { readonly revision: number }) | null;
}

const SERIES_MAX_DEFAULT = 2_000;
const ROWS_MAX_DEFAULT = 500;
const SPARK_POINTS = 40;
const SPARK_DIGITS = 6;

/**
 * What the gateway remembers: the newest rows of the series that moved last (least recently moved ones go). Every change has a revision, so a
 * reader needs no queue of its own: it asks for what is newer than what it has, and a slow one simply gets fewer, newer answers.
 */
export class SeriesBoard {
  readonly #options: Required<SeriesBoardOptions>;
  /** In the order of their last change. */
  readonly #series = new Map<string, Series>();
  #revision = 0;
  #refused = 0;

  constructor({ seriesMax = SERIES_MAX_DEFAULT, rowsMax = ROWS_MAX_DEFAULT }: SeriesBoardOptions = {}) {
    this.#options = { seriesMax, rowsMax };
  }

  get revision(): number {
    return this.#revision;
  }

  /** Lines that were not points of a series. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes in lines of line protocol; what is not a point of `forecast`, `sentiment` or `arrivals` is counted and left. */
  add(lines: Iterable<string>): void {
    for (const line of lines) {
      // Scores of probabilities are of all calls together: they are for Grafana.
      if (line.startsWith('score,bin=')) continue;
      if (line.startsWith('score,')) {
        this.#addScore(line);
        continue;
      }
      if (line.startsWith(TURN_PREFIX)) {
        // Without texts a turn's point has figures alone. From InfluxDB the text is the first field.
        if (/[ ,]text="/.test(line)) this.#addText(line);
        continue;
      }
      if (line.startsWith(CALL_END_PREFIX)) {
        this.#addEnd(line);
        continue;
      }
      const point = parseLivePoint(line);
      if (point === null) this.#refused += 1;
      else this.#addPoint(point);
    }
  }

  /** Series that changed after `revision`, least recently changed first. */
  summaries(options: { readonly since: number; readonly stream?: string | undefined }): SeriesSummary[] {
    const { since, stream } = options;
    return [...this.#series.values()]
      .filter((series) => series.revision > since && (stream === undefined || series.point.stream === stream))
      .map(summaryOf);
  }

  /** Rows of a series that changed after `since`, oldest first; null for a series that the board does not hold. */
  rows(stream: string, series: string, range: { readonly since: number; readonly limit?: number }): SeriesRow[] | null {
    const { since, limit = this.#options.rowsMax } = range;
    return this.#series.get(keyOf(stream, series))?.rows.since(since, limit) ?? null;
  }

  /** What was found of a call that is over; null where it goes on, where the board does not hold it, and where that was heard at or before `since`. */
  end(stream: string, series: string, { since }: { readonly since: number }): CallEnd | null {
    const end = this.#series.get(keyOf(stream, series))?.end ?? null;
    return end === null || end.revision <= since ? null : end.end;
  }

  /** It comes behind the points of the call's turns. */
  #addEnd(line: string): void {
    const point = parseCallEnd(line);
    if (point === null) this.#refused += 1;
    const series = point === null ? undefined : this.#series.get(keyOf(point.stream, point.series));
    if (point === null || series === undefined || series.point.timeNs > point.timeNs) return;
    this.#revision += 1;
    series.end = { ...point, revision: this.#revision };
    series.revision = this.#revision;
  }

  /** A score belongs to a series that the board holds: its forecasts came before it. */
  #addScore(line: string): void {
    const point = parseScorePoint(line);
    if (point === null) this.#refused += 1;
    const series = point === null ? undefined : this.#series.get(keyOf(point.stream, point.series));
    if (point === null || series === undefined) return;
    this.#revision += 1;
    series.scores.set(point.horizon, point);
    series.revision = this.#revision;
  }

  /** What was said comes behind its turn's point. */
  #addText(line: string): void {
    const point = parseTurnPoint(line);
    const series = point === null ? undefined : this.#series.get(keyOf(point.stream, point.series));
    if (point === null || !series?.rows.addText(point, this.#revision + 1)) {
      this.#refused += 1;
      return;
    }
    this.#revision += 1;
    series.revision = this.#revision;
  }

  #addPoint(point: LivePoint): void {
    const key = keyOf(point.stream, point.series);
    const series = this.#series.get(key) ?? {
      rows: new SeriesRows(this.#options.rowsMax),
      point,
      revision: 0,
      scores: new Map(),
      end: null,
    };
    this.#revision += 1;
    series.rows.add(point, this.#revision);
    series.revision = this.#revision;
    series.point = point;
    // The id is heard again: another call.
    if (series.end !== null && point.timeNs > series.end.timeNs) series.end = null;
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size > this.#options.seriesMax) {
      const [oldest] = this.#series.keys();
      this.#series.delete(oldest);
    }
  }
}

function keyOf(stream: string, series: string): string {
  return `${stream}\n${series}`;
}

function summaryOf({ rows, point, scores, end }: Series): SeriesSummary {
  const { kind, stream, series, model } = point;
  const recent = rows.since(0, SPARK_POINTS);
  const spark = recent.map((row) => Number(('last' in row ? row.last : row.callScore).toPrecision(SPARK_DIGITS)));
  const tags = tagsOf(point);
  const scored = scores.size === 0 ? {} : { scores: [...scores.values()] };
  const over = end === null ? {} : { isOver: true as const };
  return { kind, stream, series, model, ...tags, newest: recent[recent.length - 1], spark, ...scored, ...over };
}

function tagsOf(point: LivePoint): Pick<SeriesSummary, 'queue' | 'agent'> {
  if (point.kind === 'sentiment') return { queue: point.queue, agent: point.agent };
  return point.kind === 'arrivals' ? { queue: point.queue } : {};
}
