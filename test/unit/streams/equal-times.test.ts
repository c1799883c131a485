/** Records of one instant: each keeps a point of its own, on real days of trades and in general. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { ChunkBuilder, type EventTime, pointIdentity, pointTime, type RawRecord } from '@tideline/pipeline';
import { createTickStream } from '@tideline/streams';
import fc from 'fast-check';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const DATA = process.env.TIDELINE_DATA ?? join(ROOT, '..', 'shared', 'data');
const TRADES = join(DATA, 'ticks-highfrequency', 'trades_raw.csv.gz');
const ROWS = 77_263;
const SHARED = 41_757;

const missing = existsSync(TRADES)
  ? false
  : `there is no ${TRADES}: set TIDELINE_DATA to the folder that holds ticks-highfrequency/trades_raw.csv.gz`;

test(`each of ${ROWS} real trades, ${SHARED} of which share a timestamp, keeps its own point`, {
  skip: missing,
}, async () => {
  const records = readTrades();
  const { model } = await loadModel(join(ROOT, 'models', 'ticks-lstm', 'model.tdl'));
  const { lines, letters, events } = await runRecords(records, {
    stream: createTickStream({ modelName: 'm' }),
    newEngine: () => createSimdEngine(model, { slotsMax: 4 }),
    draw: () => 0,
    writesACrash: 0,
    sizes: [5_000, 2_000, 8],
  });
  assert.deepEqual([records.length, letters.length], [ROWS, 0]);
  const nearest = lines.filter((line) => line.startsWith('forecast,horizon=1,'));
  assert.equal(new Set(nearest.map(pointIdentity)).size, ROWS);
  assert.equal(new Set(records.map(({ value }) => JSON.parse(String(value)).tsUs)).size, ROWS - SHARED);
  assert.ok(!events.some(({ type }) => type === 'late'), 'equal is not late');
});

const UNIT_NS = { ms: 1_000_000, us: 1_000, ns: 1 } as const;

/** Nanoseconds of the finest unit that the time makes use of: feeds write whole milliseconds with nine digits, too. */
const precisionNs = ({ unit, subNs }: EventTime): number =>
  unit !== 'ns' ? UNIT_NS[unit] : ([1_000_000, 1_000].find((ns) => subNs % ns === 0) ?? 1);

/** Columns of the file: ts_us, symbol, exchange, price, size, … */
function readTrades(): RawRecord[] {
  const [, ...rows] = gunzipSync(readFileSync(TRADES)).toString('utf8').trim().split('\n');
  return rows.map((row, offset) => {
    const [tsUs, symbol, , price, size] = row.split(',');
    const value = JSON.stringify({ symbol, tsUs, price: Number(price), size: Number(size) });
    return { offset, key: Buffer.from(symbol), value: Buffer.from(value), timestampMs: 0, headers: {} };
  });
}

/** Times of the points of records that all have one event time. */
function timesOf(time: EventTime, offsets: readonly number[]): string[] {
  const builder = new ChunkBuilder({ numbers: [], texts: [] }, offsets.length);
  for (const offset of offsets) builder.push('s', offset, time);
  const chunk = builder.finish(0);
  return offsets.map((_, row) => pointTime(chunk, row));
}

const TIME = fc
  .record({
    ms: fc.integer({ min: 31_536_000_000, max: 9_999_999_999_999 }),
    ns: fc.nat(999_999),
    unit: fc.constantFrom('ms', 'us', 'ns'),
  })
  .map(
    ({ ms, ns, unit }): EventTime => ({ ms, unit, subNs: unit === 'ms' ? 0 : unit === 'us' ? ns - (ns % 1_000) : ns }),
  );

test('as many records of one instant as its precision has nanoseconds keep apart, and none leaves its instant', () => {
  fc.assert(
    fc.property(TIME, fc.nat(2 ** 40), fc.integer({ min: 1, max: 1_500 }), (time, first, count) => {
      const within = Math.min(count, precisionNs(time));
      const times = timesOf(
        time,
        Array.from({ length: within }, (_, i) => first + i),
      );
      assert.equal(new Set(times).size, within);
      const instant = BigInt(time.ms) * 1_000_000n + BigInt(time.subNs);
      for (const digits of times) {
        const after = BigInt(digits) - instant;
        assert.ok(after >= 0n && after < BigInt(precisionNs(time)));
      }
    }),
  );
});
