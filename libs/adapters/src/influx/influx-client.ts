/** The `influx` client, for everything but the stream of points: databases, queries, single points. */
import { ConfigError, RetryableError, TidelineError } from '@tideline/pipeline';
import { InfluxDB, ResultError } from 'influx';
import {
  answerText,
  type InfluxConnection,
  type InfluxHttp,
  influxAddress,
  influxHeaders,
  influxLogin,
} from './influx-connection.ts';
import { influxError } from './influx-errors.ts';

const TIMEOUT_MS = 30_000;

/** The client for a connection. */
export function createInfluxClient(connection: InfluxConnection): InfluxDB {
  const url = new URL(influxAddress(connection.url));
  const { username, password } = influxLogin(connection);
  const isTls = url.protocol === 'https:';
  return new InfluxDB({
    host: url.hostname,
    port: Number(url.port || (isTls ? 443 : 80)),
    protocol: isTls ? 'https' : 'http',
    database: connection.database,
    ...(username === '' ? {} : { username, password }),
    ...(connection.token === undefined ? {} : { options: { headers: influxHeaders(connection) } }),
    // It may not hide a server that failed once: each call says by itself how it went.
    pool: { requestTimeout: connection.timeoutMs ?? TIMEOUT_MS, maxRetries: 1 },
  });
}

/** Says within seconds whether InfluxDB answers; its version. Throws RetryableError where nobody does. */
export async function pingInflux(http: InfluxHttp): Promise<string> {
  const answer = await http.send('GET', '/ping');
  const text = await answerText(answer);
  if (answer.status >= 300) throw influxError({ address: http.address, status: answer.status, text });
  const { 'x-influxdb-version': version, 'x-influxdb-build': build } = answer.body.headers;
  if (version === undefined && build === undefined)
    throw new ConfigError([`What answers at ${http.address} is not InfluxDB. Correct the address.`]);
  return String(version ?? build);
}

/** Runs `work` with the client; what it throws is translated. */
export async function withInfluxErrors<T>(address: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TidelineError) throw cause;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const status = (error as { res?: { statusCode?: number } }).res?.statusCode;
    if (status !== undefined) throw influxError({ address, status, text: error.message });
    if (cause instanceof ResultError)
      throw new ConfigError([`InfluxDB at ${address} refused a query: ${error.message}. Correct it.`]);
    throw new RetryableError(`InfluxDB at ${address} did not answer (${error.message}).`, { cause });
  }
}
