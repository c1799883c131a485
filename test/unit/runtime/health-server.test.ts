import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics, startHealthServer } from '@tideline/runtime';

test('a service is ready when every check passes, and says which one does not', async () => {
  let isWell = false;
  const checks = {
    redis: async () => {},
    influx: async () => {
      if (!isWell) throw new Error('InfluxDB does not answer.');
    },
  };
  await using health = await startHealthServer({ port: 0, checks, metrics: createMetrics() });
  assert.match(health.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await fetch(`${health.url}/live`)).status, 200);
  const waiting = await fetch(`${health.url}/ready`);
  assert.equal(waiting.status, 503);
  assert.deepEqual(await waiting.json(), {
    status: 'waiting',
    checks: { redis: 'ok', influx: 'InfluxDB does not answer.' },
  });
  isWell = true;
  assert.equal((await fetch(`${health.url}/ready`)).status, 200);
  assert.equal((await fetch(`${health.url}/other`)).status, 404);
});

test('metrics come in the text format, from a registry of their own', async () => {
  const [first, second] = [createMetrics(), createMetrics()];
  for (const metrics of [first, second])
    metrics.counter('forecast_records_total', 'Records.', ['stream']).inc({ stream: 'ticks' }, 3);
  await using health = await startHealthServer({ port: 0, checks: {}, metrics: first });
  const answer = await fetch(`${health.url}/metrics`);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  const text = await answer.text();
  assert.match(text, /^forecast_records_total\{stream="ticks"\} 3$/m);
  assert.match(text, /^process_cpu_seconds_total /m);
});

test('a taken port is named, with the cure', async () => {
  const options = { checks: {}, metrics: createMetrics() };
  await using first = await startHealthServer({ ...options, port: 0 });
  const port = Number(new URL(first.url).port);
  await assert.rejects(startHealthServer({ ...options, port }), {
    message: new RegExp(`127\\.0\\.0\\.1:${port}.*taken.*TIDELINE_HEALTH_PORT`),
  });
});
