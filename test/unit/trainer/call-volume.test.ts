import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '@tideline/pipeline';
import { CALL_VOLUME_DEFAULTS, mulberry32, type SourceRecord } from '@tideline/streams';
import { type BacktestVolumeOptions, backtestVolume, type ResultTable, trainCallVolume } from '@tideline/trainer';

const DAY_MS = 86_400_000;
/** A Monday. */
const START_MS = Date.UTC(2024, 0, 1);

/** Hourly, 8 to 18, six days a week; each day is busier or calmer than usual as a whole, by chance: what came this morning says what comes next. */
function records(queue: string, days: number, calls: number): SourceRecord[] {
  const random = mulberry32(7);
  const found: SourceRecord[] = [];
  for (let day = 0; day < days; day += 1) {
    const busy = 0.5 + random();
    for (let hour = 8; hour < 18 && day % 7 < 6; hour += 1) {
      const ts = START_MS + day * DAY_MS + hour * 3_600_000;
      const came = Math.round(calls * busy * (1 + 0.3 * Math.sin(hour)) + 2 * random());
      found.push({
        topic: 'call-volume',
        key: queue,
        value: JSON.stringify({ queue, ts, intervalMs: 3_600_000, calls: came }),
        timestampMs: ts,
      });
    }
  }
  return found;
}

function options(given: readonly SourceRecord[]): BacktestVolumeOptions {
  const shared = { name: 'test', settings: CALL_VOLUME_DEFAULTS, files: [], model: null, progress: () => {} };
  return { ...shared, records: given, seeds: [1], epochs: 12 };
}

function mae(table: ResultTable, name: string): number {
  return table.baselines.find((one) => one.name === name)?.figures.MAE ?? Number.NaN;
}

test('the network sees how busy the day is: better than any mean of weeks, of two queues of different size together', async () => {
  const given = [...records('large', 120, 200), ...records('small', 120, 8)].sort(
    (a, b) => a.timestampMs - b.timestampMs,
  );
  const result = await backtestVolume(options(given));
  const [next, , , tomorrow] = result.tables;
  const [{ figures }] = next.seeds;
  assert.ok(figures.MAE < 0.5 * mae(next, 'mean of four weeks'), `${figures.MAE} ${mae(next, 'mean of four weeks')}`);
  assert.ok(mae(next, 'mean of four weeks') < mae(next, "last week's slot"));
  assert.ok(tomorrow.seeds[0].figures.MAE > figures.MAE, 'nobody knows tomorrow');
  assert.equal(result.tracks.length, 8, 'two queues, four horizons');
  assert.deepEqual(result.data.refused, {});
});

test('what comes on the days of the test changes no forecast that was made before it', async () => {
  const plain = records('q', 90, 50);
  const last = START_MS + 88 * DAY_MS;
  const changed = plain.map((one) =>
    one.timestampMs < last ? one : { ...one, value: one.value.replace(/"calls":\d+/, '"calls":999') },
  );
  const [a, b] = await Promise.all([plain, changed].map((given) => backtestVolume({ ...options(given), epochs: 2 })));
  const before = Array.from(a.tracks[0].timeMs).filter((timeMs) => timeMs < last).length;
  assert.ok(before > 50);
  assert.deepEqual(
    Array.from(a.tracks[0].forecast).slice(0, before),
    Array.from(b.tracks[0].forecast).slice(0, before),
  );
});

test('a fortnight is the least, and records that nobody can read are named with the cure', async () => {
  await assert.rejects(backtestVolume(options(records('q', 10, 5))), ConfigError);
  const broken = records('q', 30, 5).map((one) => ({ ...one, value: one.value.replace('calls', 'offered') }));
  await assert.rejects(backtestVolume(options(broken)), (error: unknown) =>
    /'calls' is undefined.*--map/.test(String(error)),
  );
});

test('a training says in its card what it learnt from and how it compares', async () => {
  const history: number[] = [];
  const { model, card } = await trainCallVolume({
    ...{ seed: 1, epochs: 2, records: records('q', 40, 30), source: { file: 'x.csv' } },
    onEpoch: ({ epoch }) => {
      history.push(epoch);
    },
  });
  assert.deepEqual(history, [1, 2]);
  assert.equal(card.digest, model.digest);
  assert.deepEqual(card.data, [{ file: 'x.csv', queues: ['q'] }]);
  assert.ok(Object.keys((card.test as Record<string, object>).next).includes('MAE of mean of four weeks'));
});
