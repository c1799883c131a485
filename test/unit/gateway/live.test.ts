import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointLines } from '@tideline/pipeline';
import { forecastLines, sentimentLine } from './lines.ts';
import { STATS, startGateway } from './running-gateway.ts';
import { readEvents, type ServerEvent } from './server-events.ts';

const rowsIn = (events: readonly ServerEvent[]) =>
  events.filter(({ event }) => event === 'rows').flatMap(({ content }) => content.rows);

test('a live stream begins with all that is known, then tells what changes', async () => {
  await using gateway = await startGateway();
  gateway.feed.publish(PointLines.of(forecastLines({ series: 'A', offset: 1, last: 1 })));
  gateway.feed.publish(PointLines.of([sentimentLine({ series: 'c1', offset: 1, score: 0.5 })]));
  let later = false;
  const events = await readEvents(`${gateway.url}/api/live?watch=ticks/A`, (seen) => {
    if (!later && rowsIn(seen).length === 1) {
      later = true;
      gateway.feed.publish(PointLines.of(forecastLines({ series: 'A', offset: 2, last: 2 })));
      gateway.feed.publish(PointLines.of(forecastLines({ series: 'B', offset: 2, last: 3 })));
    }
    return rowsIn(seen).length === 2 && seen.some(({ event }) => event === 'stats');
  });
  const [first, second] = events.filter(({ event }) => event === 'summaries').map(({ content }) => content);
  const names = (summaries: { series: string }[]) => summaries.map(({ series }) => series);
  assert.deepEqual(names(first), ['A', 'c1']);
  assert.deepEqual(names(second), ['A', 'B']);
  assert.deepEqual(
    rowsIn(events).map(({ last }) => last),
    [1, 2],
  );
  assert.deepEqual(events.find(({ event }) => event === 'stats')?.content, STATS);
});

test('many points between two beats come as one event, and only the watched series comes in rows', async () => {
  await using gateway = await startGateway();
  let published = false;
  const events = await readEvents(`${gateway.url}/api/live?watch=${encodeURIComponent('ticks/a/b c')}`, (seen) => {
    if (!published) {
      published = true;
      for (let offset = 0; offset < 300; offset += 1) {
        gateway.feed.publish(PointLines.of(forecastLines({ series: 'a/b c', offset, last: offset + 1 })));
        gateway.feed.publish(PointLines.of(forecastLines({ series: 'other', offset, last: offset + 1 })));
      }
    }
    return rowsIn(seen).length >= 300;
  });
  const rows = events.filter(({ event }) => event === 'rows');
  assert.equal(rows.length, 1);
  assert.equal(rows[0].content.series, 'a/b c');
  assert.ok(events.filter(({ event }) => event === 'summaries').length <= 2);
});

test('a client that does not read holds up nobody and costs no queue', async () => {
  await using gateway = await startGateway();
  const stop = new AbortController();
  const stalled = await fetch(`${gateway.url}/api/live?watch=ticks/s0`, { signal: stop.signal });
  assert.equal(stalled.status, 200);
  for (let i = 0; i < 2_000; i += 1)
    for (let offset = 0; offset < 3; offset += 1)
      gateway.feed.publish(PointLines.of(forecastLines({ series: `s${i}`, offset, last: i + 1 })));
  const events = await readEvents(`${gateway.url}/api/live`, (seen) => seen.some(({ event }) => event === 'stats'));
  assert.equal(events.find(({ event }) => event === 'summaries')?.content.length, 2_000);
  stop.abort();
});

test('figures that cannot be read are told as trouble, and the stream goes on', async () => {
  await using gateway = await startGateway({ stats: () => Promise.reject(new Error('No Redis answers.')) });
  const events = await readEvents(`${gateway.url}/api/live`, (seen) => seen.some(({ event }) => event === 'trouble'));
  assert.equal(events.find(({ event }) => event === 'trouble')?.content.detail, 'No Redis answers.');
});

test('the 65th live connection is refused until another one closes', async () => {
  await using gateway = await startGateway();
  const stop = new AbortController();
  const open = () => fetch(`${gateway.url}/api/live`, { signal: stop.signal });
  const answers = await Promise.all(Array.from({ length: 64 }, open));
  assert.ok(answers.every(({ status }) => status === 200));
  const refused = await open();
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /64 live connections/);
  stop.abort();
});

test('closing the gateway ends its live streams', async () => {
  const gateway = await startGateway();
  const ended = readEvents(`${gateway.url}/api/live`, () => false);
  await readEvents(`${gateway.url}/api/live`, (seen) => seen.length > 0);
  await gateway[Symbol.asyncDispose]();
  await ended;
  await assert.rejects(fetch(gateway.url));
});
