/** A person takes an alert on: `POST /api/alerts/{id}/acknowledgement`. */
import { RetryableError } from '@tideline/pipeline';
import type { Acknowledgement, Alert } from '@tideline/streams';
import type { FastifyInstance } from 'fastify';
import type { AlertBoard } from './alert-board.ts';
import { ProblemError } from './problem.ts';

/** Keeps an acknowledgement unless the alert has one, and tells every page; resolves with the one that stands. Throws RetryableError. */
export type KeepAcknowledgement = (alert: Alert, acknowledgement: Acknowledgement) => Promise<Acknowledgement>;

const BODY_BYTES_MAX = 8_192;
const PARAMS = {
  type: 'object',
  properties: { id: { type: 'string', minLength: 1, maxLength: 256 } },
} as const;
const BODY = {
  type: 'object',
  required: ['by'],
  properties: {
    by: { type: 'string', minLength: 1, maxLength: 80, pattern: '\\S' },
    note: { type: 'string', maxLength: 500, default: '' },
  },
  additionalProperties: false,
} as const;

interface Route {
  Params: { id: string };
  Body: { by: string; note: string };
}

/**
 * 201 with the acknowledgement; 200 where the same person had done it; 409 where somebody else had. The first one stands, also over several gateways and
 * restarts.
 */
export function addAcknowledgement(
  app: FastifyInstance,
  { alerts, keep }: { readonly alerts: AlertBoard; readonly keep: KeepAcknowledgement },
): void {
  // A form of a foreign page can send text, never JSON without asking first.
  app.removeContentTypeParser('text/plain');
  app.post<Route>(
    '/api/alerts/:id/acknowledgement',
    { schema: { params: PARAMS, body: BODY }, bodyLimit: BODY_BYTES_MAX },
    async ({ params: { id }, body, headers }, reply) => {
      if (headers['sec-fetch-site'] === 'cross-site')
        throw new ProblemError({ status: 403, title: 'Forbidden', detail: 'Another site may not acknowledge alerts.' });
      const alert = alerts.find(id);
      if (alert === undefined) {
        const detail = `Alert '${id}' is not among those that this gateway knows: GET /api/alerts lists them.`;
        throw new ProblemError({ status: 404, title: 'Unknown alert', detail });
      }
      const own: Acknowledgement = { by: body.by.trim(), note: body.note.trim(), atMs: Date.now() };
      const standing = alert.acknowledgement ?? (await kept(keep, alert, own));
      if (standing.by !== own.by) {
        const when = new Date(standing.atMs).toISOString();
        const detail = `${standing.by} acknowledged it at ${when}.`;
        throw new ProblemError({ status: 409, title: 'Acknowledged by somebody else', detail });
      }
      return reply.code(standing === own ? 201 : 200).send(standing);
    },
  );
}

async function kept(keep: KeepAcknowledgement, alert: Alert, own: Acknowledgement): Promise<Acknowledgement> {
  try {
    const standing = await keep(alert, own);
    return standing.by === own.by && standing.atMs === own.atMs ? own : standing;
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    throw new ProblemError({ status: 503, title: 'Not kept', detail: `${error.message} Try again.` });
  }
}
