/**
 * Server-Sent Events. Events: `summaries` (series that changed), `rows` (of the series that this client watches), `alerts` (that changed), `stats`, `trouble`
 * (the figures cannot be read). Nothing is queued for a client: at each beat it gets what is newer than its revision, and none while its socket is full.
 */
import type { ServerResponse } from 'node:http';
import type { AlertBoard } from './alert-board.ts';
import type { StatsReader } from './gateway-stats.ts';
import { ProblemError } from './problem.ts';
import type { SeriesBoard } from './series-board.ts';

export interface Watched {
  readonly stream: string;
  readonly series: string;
}

export interface LiveStreamOptions {
  readonly board: SeriesBoard;
  readonly alerts: AlertBoard;
  readonly stats: StatsReader;
  readonly beatMs?: number;
  readonly clientsMax?: number;
}

interface Client {
  readonly response: ServerResponse;
  readonly watched: readonly Watched[];
  revision: number;
  alertRevision: number;
  sentAt: number;
}

const BEAT_MS_DEFAULT = 250;
const CLIENTS_MAX_DEFAULT = 64;
const STATS_MS = 1_000;
const HEARTBEAT_MS = 10_000;
const RECONNECT_MS = 1_000;
const ALERTS_A_MESSAGE_MAX = 200;

export class LiveStream implements Disposable {
  readonly #board: SeriesBoard;
  readonly #alerts: AlertBoard;
  readonly #stats: StatsReader;
  readonly #beatMs: number;
  readonly #clientsMax: number;
  readonly #clients = new Set<Client>();
  #beat: NodeJS.Timeout | null = null;
  #statsAt = 0;
  #statsUnderWay = false;

  constructor(options: LiveStreamOptions) {
    this.#board = options.board;
    this.#alerts = options.alerts;
    this.#stats = options.stats;
    this.#beatMs = options.beatMs ?? BEAT_MS_DEFAULT;
    this.#clientsMax = options.clientsMax ?? CLIENTS_MAX_DEFAULT;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Throws ProblemError where no further client fits. */
  checkRoom(): void {
    if (this.#clients.size < this.#clientsMax) return;
    throw new ProblemError({
      status: 503,
      title: 'Too many clients',
      detail: `${this.#clientsMax} live connections are open, which is the most: close one, or read /api/series instead.`,
    });
  }

  /** Serves `response` until its client leaves. It begins with everything that the board holds. */
  open(response: ServerResponse, watched: readonly Watched[]): void {
    const client: Client = { response, watched, revision: 0, alertRevision: 0, sentAt: 0 };
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.#clients.add(client);
    response.once('close', () => this.#drop(client));
    this.#sendChanges(client);
    void this.#sendStats([client]);
    this.#beat ??= setInterval(() => this.#onBeat(), this.#beatMs);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.response.end();
    for (const client of this.#clients) this.#drop(client);
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0 || this.#beat === null) return;
    clearInterval(this.#beat);
    this.#beat = null;
  }

  #onBeat(): void {
    for (const client of this.#clients) this.#sendChanges(client);
    if (performance.now() - this.#statsAt >= STATS_MS) void this.#sendStats(this.#clients);
  }

  #sendChanges(client: Client): void {
    const now = performance.now();
    if (client.response.writableNeedDrain) return;
    this.#sendAlerts(client);
    const since = client.revision;
    const { revision } = this.#board;
    if (revision > since || client.sentAt === 0) {
      client.revision = revision;
      send(client, 'summaries', this.#board.summaries({ since }));
      for (const { stream, series } of client.watched) {
        const rows = this.#board.rows(stream, series, { since });
        const end = this.#board.end(stream, series, { since });
        if (rows !== null && (rows.length > 0 || end !== null))
          send(client, 'rows', { stream, series, rows, ...(end === null ? {} : { end }) });
      }
      client.sentAt = now;
    } else if (now - client.sentAt > HEARTBEAT_MS) {
      client.response.write(': still here\n\n');
      client.sentAt = now;
    }
  }

  #sendAlerts(client: Client): void {
    const since = client.alertRevision;
    const { revision } = this.#alerts;
    if (revision === since) return;
    client.alertRevision = revision;
    send(client, 'alerts', this.#alerts.list({ since, limit: ALERTS_A_MESSAGE_MAX }));
  }

  async #sendStats(clients: Iterable<Client>): Promise<void> {
    if (this.#statsUnderWay) return;
    this.#statsUnderWay = true;
    this.#statsAt = performance.now();
    try {
      const stats = await this.#stats();
      for (const client of clients) if (!client.response.writableNeedDrain) send(client, 'stats', stats);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      for (const client of clients) send(client, 'trouble', { detail });
    } finally {
      this.#statsUnderWay = false;
    }
  }
}

function send(client: Client, event: string, content: unknown): void {
  if (client.response.writableEnded) return;
  client.response.write(`event: ${event}\ndata: ${JSON.stringify(content)}\n\n`);
}
