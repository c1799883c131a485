import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ConfigError, RetryableError } from '@tideline/pipeline';

/** How to reach an InfluxDB that serves the v1 API (1.x; 3 Core; 2.x by its compatibility endpoints). */
export interface InfluxConnection {
  /** `http://HOST:8086`. */
  readonly url: string;
  readonly database: string;
  readonly username?: string;
  readonly password?: string;
  /** Token of InfluxDB 2 or 3, instead of user and password. */
  readonly token?: string;
  readonly timeoutMs?: number;
}

export interface InfluxAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: IncomingMessage;
}

/** One kept-alive connection (or a few) to the server. */
export interface InfluxHttp {
  readonly address: string;
  /** Sends a request; resolves with its answer, whatever its status. Throws RetryableError where nobody answers. */
  send(method: 'GET' | 'POST', path: string, body?: string | Uint8Array): Promise<InfluxAnswer>;
  close(): void;
}

const TIMEOUT_MS = 15_000;
const SOCKETS_MAX = 4;

/** Host and port of the URL, without its secrets. Throws ConfigError where it is none. */
export function influxAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new ConfigError(['The InfluxDB URL is not one: it looks like http://HOST:8086.']);
  return `${parsed.protocol}//${parsed.host}`;
}

/** `Authorization` of the connection; empty where it has none. A user may also stand in the URL. */
export function influxHeaders(connection: InfluxConnection): Record<string, string> {
  if (connection.token !== undefined) return { authorization: `Token ${connection.token}` };
  const { username, password } = influxLogin(connection);
  if (username === '') return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

export function influxLogin(connection: InfluxConnection): { readonly username: string; readonly password: string } {
  const parsed = new URL(connection.url);
  return {
    username: connection.username ?? decodeURIComponent(parsed.username),
    password: connection.password ?? decodeURIComponent(parsed.password),
  };
}

/** A client of the raw HTTP API. Nothing connects yet. */
export function createInfluxHttp(connection: InfluxConnection): InfluxHttp {
  const address = influxAddress(connection.url);
  const base = new URL(connection.url);
  const isTls = base.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
  const request = isTls ? httpsRequest : httpRequest;
  const headers = influxHeaders(connection);
  const timeout = connection.timeoutMs ?? TIMEOUT_MS;
  const prefix = base.pathname.replace(/\/$/, '');
  const send = (method: 'GET' | 'POST', path: string, body: string | Uint8Array = ''): Promise<InfluxAnswer> =>
    new Promise((resolve, reject) => {
      const lengthHeader = { ...headers, 'content-length': Buffer.byteLength(body) };
      const call = request(
        new URL(prefix + path, address),
        { method, agent, timeout, headers: lengthHeader },
        (response) => resolve({ status: response.statusCode ?? 0, retryAfterMs: retryAfter(response), body: response }),
      );
      call.once('timeout', () => call.destroy(new Error(`no answer within ${timeout} ms`)));
      call.once('error', (cause) => reject(unreachable(address, cause)));
      call.end(body);
    });
  return { address, send, close: () => agent.destroy() };
}

/** Text of an answer. */
export async function answerText(answer: InfluxAnswer): Promise<string> {
  answer.body.setEncoding('utf8');
  let text = '';
  for await (const part of answer.body) text += part;
  return text;
}

function unreachable(address: string, cause: Error): RetryableError {
  const reason = cause.message || (cause as NodeJS.ErrnoException).code || 'no reason given';
  return new RetryableError(
    `Nothing answers as InfluxDB at ${address} (${reason}). Start InfluxDB there, or correct the address.`,
    { cause },
  );
}

/** Seconds or a date, as HTTP has it. */
function retryAfter(response: IncomingMessage): number | undefined {
  const value = response.headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
