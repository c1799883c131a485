import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Each resolves when what it names is well. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  readonly metrics: Metrics;
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string;
}

/** `/live` (the process runs), `/ready` (every check passes, else 503 with each one's result) and `/metrics`. Throws Error where the port is taken. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { host = '127.0.0.1', port } = options;
  const server = createServer((request, response) => {
    answer(options, request.url ?? '/', response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const cure = taken ? 'it is taken. Set TIDELINE_HEALTH_PORT to a free port, or 0 for any.' : cause.message;
      reject(new Error(`The health server cannot listen on ${host}:${port}: ${cure}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function answer({ checks, metrics }: HealthOptions, path: string, response: ServerResponse): Promise<void> {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  if (path === '/live') return send(200, 'application/json', '{"status":"live"}');
  if (path === '/metrics') return send(200, metrics.contentType, await metrics.text());
  if (path !== '/ready') return send(404, 'application/problem+json', '{"title":"Not found","status":404}');
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const result = await check().then(
        () => 'ok',
        (error: Error) => error.message,
      );
      return [name, result] as const;
    }),
  );
  const ready = results.every(([, result]) => result === 'ok');
  return send(
    ready ? 200 : 503,
    'application/json',
    JSON.stringify({ status: ready ? 'ready' : 'waiting', checks: Object.fromEntries(results) }),
  );
}
