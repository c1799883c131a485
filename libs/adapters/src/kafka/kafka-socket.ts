import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;
const WATCH_INTERVAL_MS = 1_000;

/**
 * Sockets that end themselves where the broker owes an answer for `answerDeadlineMs`. kafkajs lets a request time out but keeps its connection: one whose other
 * side is gone without a word (half open) would take every later request too.
 */
export function createSocketFactory(answerDeadlineMs: number): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const socket = open({ host, port, ssl, onConnect });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    let read = 0;
    let writtenAtRead = 0;
    let owedMs = 0;
    const watch = setInterval(() => {
      if (socket.bytesRead !== read) {
        read = socket.bytesRead;
        writtenAtRead = socket.bytesWritten;
        owedMs = 0;
      } else if (socket.bytesWritten > writtenAtRead) {
        owedMs += WATCH_INTERVAL_MS;
        if (owedMs >= answerDeadlineMs)
          socket.destroy(new Error(`The broker ${host}:${port} has not answered for ${owedMs} ms.`));
      }
    }, WATCH_INTERVAL_MS);
    watch.unref();
    socket.once('close', () => clearInterval(watch));
    return socket;
  };
}

function open({ host, port, ssl, onConnect }: Parameters<ISocketFactory>[0]): Socket {
  if (!ssl) return connect({ host, port }, onConnect);
  // A server name is not sent for an address (RFC 6066, section 3).
  const name: ConnectionOptions = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...name, ...ssl }, onConnect);
}
