import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can hold its replies back and cut its connections. */
export interface FaultyProxy extends AsyncDisposable {
  /** The given URL, led through the proxy. */
  readonly url: string;
  /** From now on requests arrive and replies do not. */
  holdReplies(): void;
  /** Lets the replies that are held, and all later ones, through. */
  passReplies(): void;
  /** Cuts every connection; held replies are lost. New connections work. */
  cut(): void;
}

export async function openFaultyProxy(url: string): Promise<FaultyProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let held = false;
  const server = createServer((socket) => {
    const upstream = connect(Number(target.port || 6379), target.hostname);
    sockets.add(socket);
    upstreams.add(upstream);
    socket.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => socket.write(bytes));
    const end = () => {
      socket.destroy();
      upstream.destroy();
      sockets.delete(socket);
      upstreams.delete(upstream);
    };
    for (const one of [socket, upstream]) one.on('error', end).on('close', end);
    if (held) upstream.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    holdReplies() {
      held = true;
      for (const upstream of upstreams) upstream.pause();
    },
    passReplies() {
      held = false;
      for (const upstream of upstreams) upstream.resume();
    },
    cut() {
      held = false;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
