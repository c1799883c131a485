import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EventRow,
  eventRows,
  type ForecastTrack,
  hitsAhead,
  mccByMonth,
  reliabilityByRank,
  resultHtml,
} from '@tideline/trainer';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2020-01-30');

/** Days of probabilities and what came, from 30 January on. */
function rowsOf(...days: readonly (readonly [probability: number, came: boolean])[]): EventRow[] {
  return days.map(([probability, came], i) => ({ cameMs: START_MS + i * DAY_MS, probability, came }));
}

test('each month has the coefficient of its own truths, by the day on which they came', () => {
  const january = rowsOf([0.9, true], [0.2, false]);
  const february = rowsOf([0, false], [0, false], [0.6, false], [0.4, true], [0.7, true], [0.3, false]).slice(2);
  assert.deepEqual(mccByMonth([...january, ...february]), [
    { month: '2020-01', rows: 2, mcc: 1 },
    { month: '2020-02', rows: 4, mcc: 0 },
  ]);
});

test('reliability has parts of as many forecasts each, by rising probability', () => {
  const rows = rowsOf([0.52, true], [0.5, false], [0.51, true], [0.49, false]);
  assert.deepEqual(reliabilityByRank(rows, 2), [
    { said: 0.495, came: 0, rows: 2 },
    { said: 0.515, came: 1, rows: 2 },
  ]);
  assert.equal(reliabilityByRank(rows, 10).length, 4);
});

test('hits are counted against those of saying always yes, a point a day', () => {
  const [first, second, third] = rowsOf([0.4, false], [0.6, true], [0.4, true]);
  const sameDay = { ...first, probability: 0.3 };
  const { timeMs, ahead } = hitsAhead([first, sameDay, second, third]);
  // Two that always yes misses, one that both hit, one that it alone hits.
  assert.deepEqual(ahead, [2, 2, 1]);
  assert.deepEqual(timeMs, [START_MS, START_MS + DAY_MS, START_MS + 2 * DAY_MS]);
});

test('the report shows events pooled over their series and values series by series', () => {
  const times = Array.from({ length: 40 }, (_, i) => START_MS + i * DAY_MS);
  const event = (series: string, shift: number): ForecastTrack => ({
    ...{
      series,
      horizon: '1 step',
      timeMs: times,
      forecast: times.map((_, i) => (i === 3 ? Number.NaN : 0.5 + shift * Math.sin(i))),
    },
    truth: times.map((_, i) => (i % 3 === 0 ? 0 : 1)),
    event: { name: 'up <b>', cameMs: times.map((ms) => ms + DAY_MS) },
  });
  const tracks = [event('A', 0.1), event('B', -0.2)];
  assert.equal(eventRows(tracks).length, 78);
  assert.equal(eventRows([{ ...tracks[0], truth: times.map(() => Number.NaN) }]).length, 0);
  const { event: _, ...values } = tracks[0];
  const html = resultHtml({
    ...{ name: 'n', task: 't', split: 's', model: {}, tables: [], notes: [], tracks: [...tracks, values] },
    data: { files: [], from: '', to: '', records: 0, series: 0, steps: 0, refused: {} },
  });
  for (const plot of [
    'MCC by month',
    'Reliability',
    'Hits ahead of always yes',
    'Forecasts and truth of A, 1 step ahead',
  ])
    assert.equal(html.split(`aria-label="${plot}"`).length, 2, plot);
  assert.match(html, /2020-02 \(56\)/);
  assert.match(html, /saying always 'up &lt;b&gt;'/);
  assert.doesNotMatch(html, /NaN|<script|Forecasts and truth of B/);
});
