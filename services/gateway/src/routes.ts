import type { FastifyInstance } from 'fastify';
import { addAcknowledgement, type KeepAcknowledgement } from './acknowledge.ts';
import type { AlertBoard } from './alert-board.ts';
import type { StatsReader } from './gateway-stats.ts';
import type { LiveStream, Watched } from './live-stream.ts';
import { ProblemError } from './problem.ts';
import type { SeriesBoard } from './series-board.ts';

export interface ApiOptions {
  readonly board: SeriesBoard;
  readonly alerts: AlertBoard;
  readonly stats: StatsReader;
  readonly live: LiveStream;
  readonly keep: KeepAcknowledgement;
}

const NAME = { type: 'string', minLength: 1, maxLength: 256 } as const;
const HISTORY_ROWS_MAX = 500;
const WATCHED_MAX = 8;

const SERIES_QUERY = { type: 'object', properties: { stream: NAME }, additionalProperties: false } as const;
const HISTORY_QUERY = {
  type: 'object',
  properties: { limit: { type: 'integer', minimum: 1, maximum: HISTORY_ROWS_MAX, default: HISTORY_ROWS_MAX } },
  additionalProperties: false,
} as const;
const HISTORY_PARAMS = { type: 'object', properties: { stream: NAME, series: NAME } } as const;
/** `watch=STREAM/SERIES`, the series' own slashes as they are. */
const LIVE_QUERY = {
  type: 'object',
  properties: {
    watch: { type: 'array', maxItems: WATCHED_MAX, items: { type: 'string', pattern: '^[^/]+/.+$', maxLength: 513 } },
  },
  additionalProperties: false,
} as const;

/** The HTTP API. Errors are problem documents. */
export function addApi(app: FastifyInstance, { board, alerts, stats, live, keep }: ApiOptions): void {
  addAcknowledgement(app, { alerts, keep });

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/api/stats', async () => {
    try {
      return await stats();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new ProblemError({ status: 503, title: 'The figures cannot be read', detail });
    }
  });

  app.get<{ Querystring: { stream?: string } }>(
    '/api/series',
    { schema: { querystring: SERIES_QUERY } },
    async ({ query }) => ({ series: board.summaries({ since: 0, stream: query.stream }).reverse() }),
  );

  app.get<{ Querystring: { limit: number } }>(
    '/api/alerts',
    { schema: { querystring: HISTORY_QUERY } },
    async ({ query: { limit } }) => ({ alerts: alerts.list({ limit }) }),
  );

  app.get<{ Params: { stream: string; series: string }; Querystring: { limit: number } }>(
    '/api/series/:stream/:series/history',
    { schema: { params: HISTORY_PARAMS, querystring: HISTORY_QUERY } },
    async ({ params: { stream, series }, query: { limit } }) => {
      const rows = board.rows(stream, series, { since: 0, limit });
      const end = board.end(stream, series, { since: 0 });
      if (rows !== null) return { stream, series, rows, ...(end === null ? {} : { end }) };
      const detail = `No points of series '${series}' of stream '${stream}' have come by: GET /api/series lists the known ones.`;
      throw new ProblemError({ status: 404, title: 'Unknown series', detail });
    },
  );

  app.get<{ Querystring: { watch?: string[] } }>(
    '/api/live',
    { schema: { querystring: LIVE_QUERY } },
    async (request, reply) => {
      live.checkRoom();
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // A proxy that buffers would hold the events back.
        'x-accel-buffering': 'no',
      });
      live.open(raw, (request.query.watch ?? []).map(watchedOf));
    },
  );
}

function watchedOf(text: string): Watched {
  const at = text.indexOf('/');
  return { stream: text.slice(0, at), series: text.slice(at + 1) };
}
