import { createServer } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago. Another program can take it in between: starters try again. */
export function freePort(): Promise<number> {
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
