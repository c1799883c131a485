import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { LiveFeed } from '@tideline/pipeline';
import { ConfigurationError, type Logger } from '@tideline/runtime';
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import { checkAccess, guardAccess } from './access.ts';
import type { KeepAcknowledgement } from './acknowledge.ts';
import { AlertBoard } from './alert-board.ts';
import { type GatewayStats, keptStats } from './gateway-stats.ts';
import { LiveStream } from './live-stream.ts';
import { ProblemError, sendProblem } from './problem.ts';
import { addApi } from './routes.ts';
import { SeriesBoard } from './series-board.ts';

export interface GatewayOptions {
  /** Where new points come from. */
  readonly feed: LiveFeed;
  /** Points from before the start, lines of line protocol. */
  readonly history?: () => Promise<Iterable<string>>;
  readonly stats: () => GatewayStats | Promise<GatewayStats>;
  readonly keepAcknowledgement: KeepAcknowledgement;
  /** Any address but a loopback one requires `token`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token?: string;
  readonly logger?: Logger;
}

export interface Gateway extends AsyncDisposable {
  readonly url: string;
}

const STATS_KEEP_MS = 500;
const PUBLIC_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Starts the HTTP API, the live stream and the page. Throws ConfigurationError for an address that is taken or may not be open. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { feed, history, host, port, token, logger } = options;
  checkAccess({ host, token });
  const board = new SeriesBoard();
  const alerts = new AlertBoard();
  const add = (lines: Iterable<string>): void => {
    board.add(lines);
    alerts.add(lines);
  };
  const stats = keptStats(options.stats, STATS_KEEP_MS);
  const live = new LiveStream({ board, alerts, stats });
  // `forceCloseConnections`: a live stream would hold up the end for ever.
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.addHook('onRequest', async (_request, reply) => void reply.headers(HEADERS));
  guardAccess(app, { host, token });
  answerWithProblems(app, logger);
  addApi(app, { board, alerts, stats, live, keep: options.keepAcknowledgement });
  await addPage(app);
  // Live points first: what comes while the history is read is not missed, and a point that comes twice is one.
  const unsubscribe = await feed.subscribe(add);
  const close = async (): Promise<void> => {
    await unsubscribe();
    live[Symbol.dispose]();
    await app.close();
  };
  try {
    if (history !== undefined) add([...(await history())]);
    await listen(app, host, port);
  } catch (error) {
    await close();
    throw error;
  }
  const { port: bound } = app.server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, [Symbol.asyncDispose]: close };
}

function answerWithProblems(app: FastifyInstance, logger: Logger | undefined): void {
  app.setErrorHandler((error: FastifyError | ProblemError, request, reply) => {
    if (error instanceof ProblemError) return sendProblem(reply, error.problem);
    const status = error.statusCode ?? 500;
    if (status < 500) return sendProblem(reply, { status, title: 'Bad request', detail: error.message });
    logger?.error({ err: error, route: request.routeOptions.url }, 'A request failed.');
    return sendProblem(reply, { status: 500, title: 'Internal error', detail: "The gateway's log has the reason." });
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?', 1)[0]}. The page is at /, the API below /api/.`;
    return sendProblem(reply, { status: 404, title: 'Not found', detail });
  });
}

async function addPage(app: FastifyInstance): Promise<void> {
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const maxAge = 0;
  await app.register(fastifyStatic, { root: PUBLIC_FOLDER, maxAge });
  await app.register(fastifyStatic, { root: uplot, prefix: '/vendor/uplot/', decorateReply: false, maxAge });
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const cures: Readonly<Record<string, string>> = {
      EADDRINUSE: 'it is taken. Stop what listens there, or choose another port (0: any free one)',
      EACCES: 'this user may not use the port: choose one above 1023',
      EADDRNOTAVAIL: 'this machine does not have the address: use 127.0.0.1',
    };
    throw new ConfigurationError([`The gateway cannot listen on ${host}:${port}: ${cures[code ?? ''] ?? message}`]);
  }
}
