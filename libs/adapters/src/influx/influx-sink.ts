import type { PointSink } from '@tideline/pipeline';
import type { InfluxDB } from 'influx';
import { createInfluxClient, pingInflux, withInfluxErrors } from './influx-client.ts';
import { answerText, createInfluxHttp, type InfluxConnection, type InfluxHttp } from './influx-connection.ts';
import { influxError } from './influx-errors.ts';
import { createWriteGroups } from './write-groups.ts';

export interface InfluxSinkOptions extends InfluxConnection {
  /** Lines of one request at most. */
  readonly linesARequestMax?: number;
}

/** A point of low volume (the pipeline's own figures). Numbers become floats. */
export interface InfluxPoint {
  readonly measurement: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string | boolean>>;
  readonly timestampMs: number;
}

export interface InfluxSink extends PointSink {
  writePoints(points: readonly InfluxPoint[]): Promise<void>;
}

/** At 5,000 lines a request InfluxDB 1.x takes the most; larger ones only hold memory. */
const LINES_A_REQUEST_MAX = 5_000;

/**
 * Points to InfluxDB; creates the database where it is missing. Throws RetryableError where nobody answers, ConfigError where it refuses.
 * Lines go out as they are over a kept-alive connection (1.0 us of CPU a line; the client's own encoding costs 4.3). A caller that waits for each of its
 * writes has them one after the other, so that of two lines of one point the later one stays.
 */
export async function createInfluxSink(options: InfluxSinkOptions): Promise<InfluxSink> {
  const http = createInfluxHttp(options);
  const client = createInfluxClient(options);
  try {
    await pingInflux(http);
    await createDatabase(client, http, options.database);
  } catch (error) {
    http.close();
    throw error;
  }
  const { database, linesARequestMax = LINES_A_REQUEST_MAX } = options;
  const path = `/write?db=${encodeURIComponent(database)}&precision=ns`;
  const groups = createWriteGroups((bodies) => postLines({ http, client, path, database, bodies }), linesARequestMax);
  return {
    write: (lines) => groups.write(lines),
    async writePoints(points) {
      await withInfluxErrors(http.address, () =>
        client.writePoints(
          points.map(({ measurement, tags = {}, fields, timestampMs }) => ({
            measurement,
            tags: { ...tags },
            fields: { ...fields },
            timestamp: new Date(timestampMs),
          })),
          { precision: 'ms' },
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      http.close();
    },
  };
}

interface Post {
  readonly http: InfluxHttp;
  readonly client: InfluxDB;
  readonly path: string;
  readonly database: string;
  /** Sent one behind the other. */
  readonly bodies: readonly Uint8Array[];
}

async function postLines({ http, client, path, database, bodies }: Post): Promise<void> {
  const answer = await http.send('POST', path, bodies.length === 1 ? bodies[0] : Buffer.concat(bodies));
  const text = await answerText(answer);
  if (answer.status === 204 || answer.status === 200) return;
  const { status, retryAfterMs } = answer;
  // Somebody dropped the database: it is made again, and the caller's retry fills it.
  if (status === 404) {
    await createDatabase(client, http, database);
    throw influxError({ address: http.address, status: 503, text: `${text.trim()}; the database was created again` });
  }
  throw influxError({ address: http.address, status, text, retryAfterMs });
}

function createDatabase(client: InfluxDB, http: InfluxHttp, database: string): Promise<void> {
  return withInfluxErrors(http.address, () => client.createDatabase(database));
}
