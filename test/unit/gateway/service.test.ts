/** The gateway as a process over real servers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createInfluxReader, createInfluxSink, createRedisLiveFeed } from '@tideline/adapters';
import { PointLines } from '@tideline/pipeline';
import { eventually, stackAddresses, uniqueName } from '../../stack/index.ts';
import { callEndLine, forecastLines, sentimentLine, turnLine } from './lines.ts';

const MAIN = fileURLToPath(import.meta.resolve('@tideline/gateway')).replace(/index\.js$/, 'main.js');

/** Starts the process; resolves when it says that it is ready. */
async function startProcess(names: { readonly prefix: string; readonly database: string }) {
  const { kafka, redis, influx } = stackAddresses();
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...process.env,
      TIDELINE_KAFKA_BROKERS: kafka,
      TIDELINE_REDIS_URL: redis,
      TIDELINE_REDIS_PREFIX: names.prefix,
      TIDELINE_INFLUX_URL: influx,
      TIDELINE_INFLUX_DATABASE: names.database,
      TIDELINE_GATEWAY_PORT: '0',
    },
  });
  const ended = once(child, 'exit');
  const said: string[] = [];
  let url: string | undefined;
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (line.includes('Gateway is ready.')) url = JSON.parse(line).url;
  });
  try {
    await eventually('the gateway is ready', () => url ?? (child.exitCode === null ? null : Promise.reject(said)));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { child, ended, url: url ?? '' };
}

test('the service shows what InfluxDB holds, then what the live feed brings, and ends well at a signal', async () => {
  const { redis, influx } = stackAddresses();
  const names = { prefix: uniqueName('gateway'), database: uniqueName('gateway') };
  await using sink = await createInfluxSink({ url: influx, database: names.database });
  await using reader = createInfluxReader({ url: influx, database: names.database });
  await using feed = await createRedisLiveFeed({ url: redis, channel: `${names.prefix}-live` });
  const stored = [1, 2, 3].flatMap((offset) => forecastLines({ series: 'A B,C=D', offset, last: 100 + offset }));
  await sink.write(
    PointLines.of([
      ...stored,
      sentimentLine({ series: 'c1', offset: 1, score: -0.5, escalation: 0.75 }),
      turnLine({ series: 'c1', offset: 1, text: 'I said "no", twice.' }),
      callEndLine({ series: 'c1', turns: 1, offset: 2 }),
    ]),
  );
  const { child, ended, url } = await startProcess(names);
  try {
    // biome-ignore lint/suspicious/noExplicitAny: what the server sends is what the test looks into
    const get = async (path: string): Promise<any> => (await fetch(url + path)).json();
    const path = `/api/series/ticks/${encodeURIComponent('A B,C=D')}/history`;
    const rows = (await get(path)).rows;
    assert.deepEqual(
      rows.map(({ last }: { last: number }) => last),
      [101, 102, 103],
    );
    assert.deepEqual(rows[0].forecasts[0], {
      horizon: 1,
      q10: 101 - 0.101,
      q50: 101 * 1.0002,
      q90: 101 + 0.101,
      targetMs: 1_700_000_002_000,
    });
    assert.equal((await get('/api/series?stream=calls')).series[0].newest.escalation, 0.75);
    const call = await get('/api/series/calls/c1/history');
    assert.equal(call.rows[0].text, 'I said "no", twice.');
    assert.deepEqual(call.end.lines, ['1 customer: I said "[NAME]" <b>once</b>', '1 agent: Bye.']);
    assert.deepEqual([call.end.satisfaction, call.end.decisive.length, call.end.endedBy], [2.1, 2, 'ended']);
    const stats = await get('/api/stats');
    assert.deepEqual([stats.mode, stats.forecasts, stats.lagRecords], ['stack', 7, 0]);
    // A point that is stored and comes again over the feed is one.
    feed.publish(PointLines.of([...stored, ...forecastLines({ series: 'A B,C=D', offset: 4, last: 104 })]));
    await eventually('the live point', async () => (await get(path)).rows.length === 4);
  } finally {
    child.kill('SIGTERM');
    const [code] = await ended;
    await reader.dropDatabase();
    assert.equal(code, 0);
  }
});

test('before the first forecaster there is no database: the service starts and shows nothing', async () => {
  const names = { prefix: uniqueName('gateway'), database: uniqueName('gateway') };
  const { child, ended, url } = await startProcess(names);
  try {
    assert.deepEqual(await (await fetch(`${url}/api/series`)).json(), { series: [] });
    assert.equal((await fetch(`${url}/api/stats`)).status, 200);
  } finally {
    child.kill('SIGTERM');
    assert.equal((await ended)[0], 0);
  }
});
