import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createInfluxReader, createInfluxSink, type InfluxSink } from '@tideline/adapters';
import { ConfigError, PointLines, RetryableError } from '@tideline/pipeline';
import { stackAddresses, uniqueName } from '../stack/index.ts';
import { pointSinkContract } from './point-sink.ts';

const url = stackAddresses().influx;

async function openStore() {
  const database = uniqueName('points');
  const sink: InfluxSink = await createInfluxSink({ url, database });
  const reader = createInfluxReader({ url, database });
  return {
    sink,
    reader,
    database,
    async read(measurement: string) {
      const lines: string[] = [];
      for await (const line of reader.exportLines(measurement)) lines.push(line);
      return lines;
    },
    async [Symbol.asyncDispose]() {
      await reader.dropDatabase();
      await reader[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
}

pointSinkContract({ name: 'InfluxDB sink', open: openStore });

/** A server that answers pings and queries well, and writes as told. */
async function fakeInflux(answers: { status: number; headers?: Record<string, string>; body?: string }[]) {
  const bodies: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url?.startsWith('/ping')) return void response.writeHead(204, { 'X-Influxdb-Version': '1.6.7' }).end();
    if (request.url?.startsWith('/query')) return void response.end('{"results":[{}]}');
    bodies.push(body);
    const answer = answers.shift() ?? { status: 204 };
    response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    /** Of each write. */
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('InfluxDB sink: a busy server is a reason to try again, after the time that it names', async () => {
  await using busy = await fakeInflux([
    { status: 503, headers: { 'Retry-After': '2' }, body: '{"error":"engine is busy"}' },
    { status: 429 },
    { status: 500, body: '{"error":"timeout"}' },
  ]);
  await using sink = await createInfluxSink({ url: busy.url, database: 'd' });
  await assert.rejects(sink.write(PointLines.of(['a b=1 1'])), (error: RetryableError) => {
    assert.ok(error instanceof RetryableError);
    assert.equal(error.retryAfterMs, 2_000);
    assert.match(error.message, /engine is busy/);
    return true;
  });
  await assert.rejects(sink.write(PointLines.of(['a b=1 1'])), RetryableError);
  await assert.rejects(sink.write(PointLines.of(['a b=1 1'])), RetryableError);
  await sink.write(PointLines.of(['a b=1 1']));
});

test('InfluxDB sink: a field of another type is told in InfluxDB’s words, and no retry is asked for', async () => {
  await using store = await openStore();
  await store.sink.write(PointLines.of(['a,s=1 b=1 1']));
  await assert.rejects(store.sink.write(PointLines.of(['a,s=1 b="text" 2'])), (error: Error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /field type conflict.*another type/s);
    return true;
  });
});

test('InfluxDB sink: writes of one moment share a request, and each hears of its own lines', async () => {
  await using busy = await fakeInflux([{ status: 204 }, { status: 400 }, { status: 204 }, { status: 400 }]);
  await using sink = await createInfluxSink({ url: busy.url, database: 'd' });
  const write = (line: string): Promise<void> => sink.write(PointLines.of([line]));
  await Promise.all([write('a b=1 1'), write('a b=1 2')]);
  assert.deepEqual(busy.bodies, ['a b=1 1\na b=1 2\n']);
  const outcomes = await Promise.allSettled([write('a b=1 3'), write('a b= 4')]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.deepEqual(busy.bodies.slice(1), ['a b=1 3\na b= 4\n', 'a b=1 3\n', 'a b= 4\n']);
});

test('InfluxDB sink: a wrong address is told with the address and the cure', async () => {
  const wrong = { url: 'http://me:secret@127.0.0.1:1', database: 'd' };
  await assert.rejects(createInfluxSink(wrong), (error: Error) => {
    assert.ok(error instanceof RetryableError);
    assert.match(error.message, /http:\/\/127\.0\.0\.1:1 .*Start InfluxDB there, or correct the address/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  await assert.rejects(createInfluxSink({ url: 'influx', database: 'd' }), ConfigError);
});

test('InfluxDB sink: a database that was dropped is made again, and the retry fills it', async () => {
  await using store = await openStore();
  await store.reader.dropDatabase();
  await assert.rejects(store.sink.write(PointLines.of(['a b=1 1'])), RetryableError);
  await store.sink.write(PointLines.of(['a b=1 1']));
  assert.deepEqual(await store.read('a'), ['a b=1 1']);
});

test('InfluxDB sink: points of low volume go through the client and can be queried', async () => {
  await using store = await openStore();
  await store.sink.writePoints([
    {
      measurement: 'pipeline',
      tags: { shard: 'ticks-0' },
      fields: { lag: 3, note: 'a "b"' },
      timestampMs: 1_700_000_000_123,
    },
  ]);
  const rows = await store.reader.query('SELECT lag, note, "shard" FROM pipeline');
  assert.equal(rows.length, 1);
  assert.equal(rows[0].lag, 3);
  assert.equal(rows[0].note, 'a "b"');
  assert.equal(rows[0].shard, 'ticks-0');
  assert.equal((rows[0].time as Date).getTime(), 1_700_000_000_123);
  assert.match(await store.reader.ping(), /^InfluxDB .*database '.*' exists$/);
  await assert.rejects(store.reader.query('SELEKT 1'), ConfigError);
});

test('InfluxDB reader: a query of a database that is not there is refused for good, not retried', async () => {
  await using reader = createInfluxReader({ url, database: uniqueName('none') });
  await assert.rejects(reader.query('SELECT * FROM forecast'), ConfigError);
});
