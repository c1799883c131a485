import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections (Linux 32768 up, others 49152): a client that tries to come back to a server that is down could be given
 * the server's own port, be connected to itself, and keep the server from starting again.
 */
const PORTS_FROM = 15_000;
const PORTS_TO = 32_000;
const TRIES_MAX = 100;

/** A port of 127.0.0.1 that was free a moment ago. Another program can take it in between: starters try again. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = await listenOnce(randomInt(PORTS_FROM, PORTS_TO)).catch(() => null);
    if (port !== null) return port;
  }
  return listenOnce(0);
}

/** Throws an error that says what to do where `port` of 127.0.0.1 is taken. */
export async function assertPortFree(port: number, name: string): Promise<void> {
  try {
    await listenOnce(port);
  } catch (error) {
    throw new Error(
      `${name}: port ${port} of 127.0.0.1 is taken. Stop the program that listens there or choose another port.`,
      { cause: error },
    );
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}
