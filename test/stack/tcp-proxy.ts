/** The way from a client to a server, with the faults of a network. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  /** Loopback port on which clients reach the server. */
  readonly port: number;
  /** Closes every connection at once (RST to both sides); what was held back is lost. New connections work. */
  cut(): void;
  /** Nothing moves in either direction until `heal`; connections stay open and new ones are accepted. */
  stall(): void;
  /** Requests arrive and replies do not, until `heal` or `cut`. */
  holdReplies(): void;
  /** The server's side of every connection ends and the client is not told: what it sends goes nowhere. New connections work. */
  halfOpen(): void;
  /** New connections are refused, old ones cut, until `heal`. */
  refuse(): void;
  heal(): void;
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
}

type State = 'open' | 'stalled' | 'replies held' | 'refusing';

/** Opens a proxy on a free loopback port to a server, which need not listen yet. */
export async function openTcpProxy(target: { readonly host?: string; readonly port: number }): Promise<TcpProxy> {
  const { host = '127.0.0.1', port } = target;
  const links = new Set<Link>();
  const nears = new Set<Socket>();
  let state: State = 'open';
  const server = createServer((near) => {
    nears.add(near);
    near.on('close', () => nears.delete(near));
    if (state === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const link = { near, far: connect(port, host) };
    join(links, link);
    hold(link, state);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reset = (): void => {
    for (const { near, far } of [...links]) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  const become = (next: State): void => {
    state = next;
    for (const link of links) hold(link, next);
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      reset();
      state = 'open';
    },
    stall: () => become('stalled'),
    holdReplies: () => become('replies held'),
    halfOpen() {
      for (const link of [...links]) {
        // Out of the set: the end of the far side no longer ends the near one.
        links.delete(link);
        link.far.destroy();
      }
    },
    refuse() {
      state = 'refusing';
      reset();
    },
    heal: () => become('open'),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      reset();
      for (const near of nears) near.destroy();
      await closed;
    },
  };
}

/** A server's URL, led through its proxy. */
export function urlThrough(proxy: TcpProxy, url: string): string {
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(proxy.port);
  return through.href;
}

function join(links: Set<Link>, link: Link): void {
  const { near, far } = link;
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
}

function hold({ near, far }: Link, state: State): void {
  if (state === 'stalled') near.pause();
  else near.resume();
  if (state === 'stalled' || state === 'replies held') far.pause();
  else far.resume();
}
