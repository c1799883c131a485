import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointLines } from '@tideline/pipeline';
import { forecastLines, sentimentLine } from './lines.ts';
import { STATS, startGateway } from './running-gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: what the server sends is what the test looks into
async function json(url: string): Promise<{ readonly status: number; readonly type: string; readonly body: any }> {
  const response = await fetch(url);
  return { status: response.status, type: response.headers.get('content-type') ?? '', body: await response.json() };
}

test('the series are listed, newest change first, with what they forecast', async () => {
  await using gateway = await startGateway();
  gateway.feed.publish(PointLines.of(forecastLines({ series: 'AAPL', offset: 1, last: 189.95 })));
  gateway.feed.publish(PointLines.of(forecastLines({ series: 'MSFT', offset: 2, last: 370.5 })));
  gateway.feed.publish(PointLines.of([sentimentLine({ series: 'c1', offset: 3, score: -0.4 })]));
  const { body } = await json(`${gateway.url}/api/series?stream=ticks`);
  assert.deepEqual(
    body.series.map(({ series }: { series: string }) => series),
    ['MSFT', 'AAPL'],
  );
  const [, apple] = body.series;
  assert.equal(apple.newest.last, 189.95);
  assert.deepEqual(
    apple.newest.forecasts.map(({ horizon }: { horizon: number }) => horizon),
    [1, 5],
  );
  assert.equal(apple.newest.forecasts[0].targetMs, 1_700_000_002_000);
  const calls = await json(`${gateway.url}/api/series?stream=calls`);
  assert.equal(calls.body.series[0].newest.score, -0.4);
  assert.equal(calls.body.series[0].queue, 'billing');
});

test('history gives the newest rows of a series in order of event time, a point that comes twice once', async () => {
  await using gateway = await startGateway({
    history: async () => [1, 3].flatMap((offset) => forecastLines({ series: 'EUR/USD = x', offset, last: offset })),
  });
  for (const offset of [4, 2, 3, 3])
    gateway.feed.publish(PointLines.of(forecastLines({ series: 'EUR/USD = x', offset, last: offset })));
  const path = `${gateway.url}/api/series/ticks/${encodeURIComponent('EUR/USD = x')}/history`;
  const all = await json(path);
  assert.deepEqual(
    all.body.rows.map(({ last }: { last: number }) => last),
    [1, 2, 3, 4],
  );
  const two = await json(`${path}?limit=2`);
  assert.deepEqual(
    two.body.rows.map(({ last }: { last: number }) => last),
    [3, 4],
  );
});

test('records of one millisecond stay apart by their nanoseconds', async () => {
  await using gateway = await startGateway();
  for (const offset of [1, 2, 3])
    gateway.feed.publish(
      PointLines.of(forecastLines({ series: 'A', offset, last: offset, timeMs: 1_700_000_000_000 })),
    );
  const { body } = await json(`${gateway.url}/api/series/ticks/A/history`);
  assert.equal(body.rows.length, 3);
});

test('memory is bounded: 500 rows a series, 2,000 series, the least recently changed go', async () => {
  await using gateway = await startGateway();
  for (let offset = 0; offset < 600; offset += 1)
    gateway.feed.publish(PointLines.of(forecastLines({ series: 'first', offset, last: 1 })));
  const before = await json(`${gateway.url}/api/series/ticks/first/history`);
  assert.equal(before.body.rows.length, 500);
  for (let i = 0; i < 2_000; i += 1)
    gateway.feed.publish(PointLines.of(forecastLines({ series: `s${i}`, offset: 1, last: 1 })));
  const { body } = await json(`${gateway.url}/api/series`);
  assert.equal(body.series.length, 2_000);
  assert.equal((await fetch(`${gateway.url}/api/series/ticks/first/history`)).status, 404);
});

test('a line that is no point of a series disturbs nothing', async () => {
  await using gateway = await startGateway();
  const broken = [
    '',
    'forecast',
    'forecast,series=A',
    'forecast,series=A last=1',
    'pipeline lag=1 5',
    'sentiment, x= y',
  ];
  broken.push(...forecastLines({ series: 'A', offset: 1, last: Number.NaN }));
  gateway.feed.publish(PointLines.of([...broken, ...forecastLines({ series: 'B', offset: 1, last: 2 })]));
  const { body } = await json(`${gateway.url}/api/series`);
  assert.deepEqual(
    body.series.map(({ series }: { series: string }) => series),
    ['B'],
  );
});

test('the figures come as they are', async () => {
  await using gateway = await startGateway();
  assert.deepEqual((await json(`${gateway.url}/api/stats`)).body, STATS);
});

test('errors are problem documents that say what to do', async () => {
  await using gateway = await startGateway({
    stats: () => Promise.reject(new Error('No Redis answers at 127.0.0.1:6379.')),
  });
  const cases = [
    ['/api/series/ticks/NONE/history', 404, /'NONE'.*GET \/api\/series/],
    ['/api/series/ticks/A/history?limit=0', 400, /limit must be >= 1/],
    ['/api/series/ticks/A/history?limit=many', 400, /limit must be integer/],
    ['/api/live?watch=nothing', 400, /watch/],
    ['/api/nothing', 404, /GET \/api\/nothing/],
    ['/..%2f..%2fpackage.json', 404, /package\.json/],
    ['/api/stats', 503, /No Redis answers/],
  ] as const;
  for (const [path, status, detail] of cases) {
    const answer = await json(gateway.url + path);
    assert.equal(answer.status, status, path);
    assert.match(answer.type, /^application\/problem\+json/, path);
    assert.equal(answer.body.status, status);
    assert.match(answer.body.detail, detail);
  }
});

test('every answer has the security headers, the page no inline script', async () => {
  await using gateway = await startGateway();
  for (const path of ['/', '/api/stats', '/nothing', '/vendor/uplot/uPlot.esm.js']) {
    const { headers } = await fetch(gateway.url + path);
    assert.match(headers.get('content-security-policy') ?? '', /script-src 'self'; style-src 'self'/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
  }
  const page = await (await fetch(gateway.url)).text();
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
});
