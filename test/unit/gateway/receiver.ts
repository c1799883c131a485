/** Somebody's server that takes webhooks. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Body by id of what it answered with 200 to 299. */
  taken(): ReadonlyMap<string, string>;
  /** What it answers; null: never. */
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | null;
}

export async function openReceiver(port = 0): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const taken = new Map<string, string>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
      const { answer } = receiver;
      const [{ headers, body }] = requests.slice(-1);
      if (answer !== null && answer.status < 300) taken.set(String(headers['webhook-id']), body);
      if (answer !== null) response.writeHead(answer.status, answer.headers).end('read and thrown away');
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    taken: () => taken,
    answer: { status: 204 },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
