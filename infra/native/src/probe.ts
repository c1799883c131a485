/** Readiness by each server's own protocol: an open port alone says little. */
import { request } from 'node:http';
import { createConnection } from 'node:net';

const ATTEMPT_DEADLINE_MS = 1_000;
const METADATA_KEY = 3;
const METADATA_VERSION = 5;

/**
 * Resolves when the broker answers Metadata v5 with at least one broker: KRaft lists a broker only when it is registered and unfenced.
 * Source: Kafka protocol guide, "Metadata API (Key: 3)".
 */
export async function probeKafka(port: number): Promise<void> {
  const frame = Buffer.alloc(19);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt16BE(METADATA_KEY, 4);
  frame.writeInt16BE(METADATA_VERSION, 6);
  frame.writeInt32BE(1, 8); // correlation id
  frame.writeInt16BE(-1, 12); // no client id
  frame.writeInt32BE(0, 14); // no topics
  // Byte 18 stays 0: allow_auto_topic_creation, false.
  const answer = await exchange(port, frame, (bytes) => bytes.length >= 16);
  // size, correlation id, throttle time, then the count of brokers.
  if (answer.readInt32BE(12) < 1) throw new Error('Kafka has no live broker yet.');
}

/** Resolves when Redis has loaded its data and answers PING. */
export async function probeRedis(port: number, password?: string): Promise<void> {
  const auth = password === undefined ? '' : `*2\r\n$4\r\nAUTH\r\n$${Buffer.byteLength(password)}\r\n${password}\r\n`;
  const answer = await exchange(port, Buffer.from(`${auth}PING\r\n`), (bytes) =>
    /\+PONG\r\n|^-/m.test(bytes.toString()),
  );
  if (!answer.includes('+PONG')) throw new Error(`Redis answers ${answer.toString().trim()}`);
}

/** Resolves when InfluxDB answers /ping. */
export function probeInflux(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/ping', timeout: ATTEMPT_DEADLINE_MS }, (response) => {
      response.resume();
      if (response.statusCode === 204) resolve();
      else reject(new Error(`InfluxDB answers /ping with ${response.statusCode}`));
    });
    call.once('timeout', () => call.destroy(new Error('InfluxDB does not answer /ping.')));
    call.once('error', reject);
    call.end();
  });
}

/** Sends `bytes`, gathers the answer until `complete` says so. */
function exchange(port: number, bytes: Uint8Array, complete: (answer: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(bytes));
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(ATTEMPT_DEADLINE_MS, () => fail(new Error(`No answer from 127.0.0.1:${port}.`)));
    socket.once('error', fail);
    socket.once('close', () => reject(new Error(`127.0.0.1:${port} closed the connection.`)));
    socket.on('data', (part) => {
      answer = Buffer.concat([answer, part]);
      if (!complete(answer)) return;
      resolve(answer);
      socket.destroy();
    });
  });
}
