/** The way from a service to a server, with the faults of a network. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Closes every connection at once (RST to both sides). New ones work. */
  cut(): void;
  /** Nothing moves in either direction until `heal`; connections stay open and new ones are accepted. */
  stall(): void;
  /** The server's side of every connection ends and the service is not told: what it sends goes nowhere. New connections work. */
  halfOpen(): void;
  /** New connections are refused, old ones cut, until `heal`. */
  refuse(): void;
  heal(): void;
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
}

/** Opens a proxy on a loopback port (a free one unless given) to 127.0.0.1:`targetPort`, which need not listen yet. */
export async function openTcpProxy(targetPort: number, port = 0): Promise<TcpProxy> {
  const links = new Set<Link>();
  let state: 'open' | 'stalled' | 'refusing' = 'open';
  const server = createServer((near) => {
    if (state === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(targetPort, '127.0.0.1');
    const link = { near, far };
    links.add(link);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => near.write(bytes));
    const end = (): void => {
      links.delete(link);
      near.destroy();
      far.destroy();
    };
    near.on('error', end).on('close', end);
    far.on('error', end).on('close', () => links.has(link) && end());
    if (state === 'stalled') pause(link);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const { near, far } of [...links]) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stall() {
      state = 'stalled';
      for (const link of links) pause(link);
    },
    halfOpen() {
      for (const link of [...links]) {
        // Out of the set: the end of the far side no longer ends the near one.
        links.delete(link);
        link.far.destroy();
      }
    },
    refuse() {
      state = 'refusing';
      cut();
    },
    heal() {
      state = 'open';
      for (const { near, far } of links) {
        near.resume();
        far.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

function pause({ near, far }: Link): void {
  near.pause();
  far.pause();
}
