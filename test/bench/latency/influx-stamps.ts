/** Forwards to InfluxDB, and notes when it acknowledged each written body. */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface InfluxStamps extends AsyncDisposable {
  readonly url: string;
  /** By line protocol's `symbol` tag and time in ms: when InfluxDB had acknowledged it first, ms of `performance.now()`. */
  acknowledged(): ReadonlyMap<string, number>;
}

interface Write {
  readonly atMs: number;
  readonly gzipped: boolean;
  readonly body: Buffer;
}

const MS_DIGITS = 13;
const NO_CONTENT = 204;

export async function startInfluxStamps(target: string): Promise<InfluxStamps> {
  const { hostname: host, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const writes: Write[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      const { method, headers, url: path = '/' } = incoming;
      const forward = request({ agent, host, port, path, method, headers }, (answer) => {
        const gzipped = headers['content-encoding'] === 'gzip';
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.once('end', () => {
          if (path.startsWith('/write') && answer.statusCode === NO_CONTENT)
            writes.push({ atMs: performance.now(), gzipped, body });
        });
      });
      forward.once('error', (error) => response.writeHead(502).end(error.message));
      forward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    acknowledged: () => stampsOf(writes),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function stampsOf(writes: readonly Write[]): Map<string, number> {
  const stamps = new Map<string, number>();
  for (const { atMs, gzipped, body } of writes)
    for (const line of (gzipped ? gunzipSync(body) : body).toString('utf8').split('\n')) {
      const [, symbol] = /^forecast,.*?symbol=([^ ,]+)/.exec(line) ?? [];
      if (symbol === undefined) continue;
      const name = `${symbol} ${line.slice(line.lastIndexOf(' ') + 1).slice(0, MS_DIGITS)}`;
      if (!stamps.has(name)) stamps.set(name, atMs);
    }
  return stamps;
}
