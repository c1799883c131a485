import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkBuilder, PoisonRecordError, type RawRecord, type Stream } from '@tideline/pipeline';
import { createTickStream, generatedTicks, quantilesOf, tickLoss } from '@tideline/streams';
import fc from 'fast-check';

const STREAM = createTickStream({ modelName: 'm' });
const TS = 1_700_000_000_000;

function raw(value: unknown, key = 'A', offset = 0): RawRecord {
  const bytes = value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return { offset, key: Buffer.from(key), value: bytes, timestampMs: 0, headers: {} };
}

function decodeOne(stream: Stream, record: RawRecord) {
  const builder = new ChunkBuilder(stream.schema, 1);
  try {
    stream.decode(record, builder);
  } finally {
    if (builder.rows === 0) assert.equal(builder.finish(1).rows, 0);
  }
  return builder.finish(1);
}

const REFUSED: readonly (readonly [string, unknown, RegExp, string?])[] = [
  ['text that is not JSON', '{"symbol":', /not JSON.*JSON object/],
  ['bytes that are not UTF-8', '\uDC00', /not JSON/],
  ['an array', [1], /an array, must be a JSON object/],
  ['a tombstone', null, /no value/],
  ['no symbol', { ts: TS, price: 1 }, /'symbol' is undefined/],
  ['another key', { symbol: 'B', ts: TS, price: 1 }, /key is 'A' but its 'symbol' is 'B'/],
  ['an oversized symbol', { symbol: 'A'.repeat(300), ts: TS, price: 1 }, /300 bytes, at most 256/],
  ['no price', { symbol: 'A', ts: TS }, /'price' is undefined, must be a finite number above 0/],
  ['a price of text', { symbol: 'A', ts: TS, price: '1.5' }, /'price' is "1\.5"/],
  ['a price of zero', { symbol: 'A', ts: TS, price: 0 }, /'price' is 0/],
  ['an infinite price', '{"symbol":"A","ts":1700000000000,"price":1e999}', /'price' is null, must be a finite number/],
  ['a negative size', { symbol: 'A', ts: TS, price: 1, size: -2 }, /'size' is -2, must not be negative/],
  ['no time', { symbol: 'A', price: 1 }, /no time: set 'ts'/],
  ['seconds', { symbol: 'A', ts: 1_700_000_000, price: 1 }, /looks like seconds/],
  ['microseconds in ts', { symbol: 'A', ts: TS * 1_000, price: 1 }, /looks like microseconds; send it as 'tsUs'/],
  ['nanoseconds in ts', { symbol: 'A', ts: TS * 1e6, price: 1 }, /looks like nanoseconds; send it as 'tsNs'/],
  ['half a millisecond', { symbol: 'A', ts: TS + 0.5, price: 1 }, /fraction/],
  ['milliseconds in tsUs', { symbol: 'A', tsUs: TS, price: 1 }, /check its unit/],
  ['a date that is none', { symbol: 'A', ts: 'yesterday', price: 1 }, /no ISO 8601 time/],
];

for (const [what, value, reason] of REFUSED)
  test(`a tick with ${what} is refused with field, value and cure`, () => {
    const record =
      value === '\uDC00'
        ? { ...raw('x'), value: Uint8Array.of(0xff, 0xfe) }
        : raw(
            value,
            typeof value === 'object' && value !== null && 'symbol' in value && String(value.symbol).length > 256
              ? String(value.symbol)
              : 'A',
          );
    assert.throws(
      () => decodeOne(STREAM, record),
      (error: unknown) => error instanceof PoisonRecordError && reason.test(error.message),
    );
  });

test('a time is read to its last digit from ms, us, ns and ISO 8601', () => {
  const time = (fields: object) => {
    const chunk = decodeOne(STREAM, raw({ symbol: 'A', price: 1, ...fields }));
    return [chunk.timeMs[0], chunk.timeSubNs[0], chunk.timeUnit[0]];
  };
  assert.deepEqual(time({ ts: TS }), [TS, 0, 0]);
  assert.deepEqual(time({ tsUs: 1_700_000_000_123_456 }), [TS + 123, 456_000, 1]);
  assert.deepEqual(time({ tsNs: '1700000000123456789' }), [TS + 123, 456_789, 2]);
  assert.deepEqual(time({ ts: '2023-11-14T22:13:20.123Z' }), [TS + 123, 0, 0]);
  assert.deepEqual(time({ ts: '2023-11-14T22:13:20.123456789Z' }), [TS + 123, 456_789, 2]);
});

test('the names of a real feed are mapped', () => {
  const stream = createTickStream({ modelName: 'm', fields: { symbol: 's', price: 'p', ts: 't' } });
  const chunk = decodeOne(stream, raw({ s: 'A', p: 2, t: TS }));
  assert.deepEqual([chunk.keys[0], chunk.numbers[0][0]], ['A', 2]);
});

test('features stay finite and bounded through any prices, sizes and gaps, jumps included', () => {
  const tick = fc.record({
    price: fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
    size: fc.double({ min: 0, max: 1e12, noNaN: true }),
    gap: fc.nat(1e9),
  });
  fc.assert(
    fc.property(fc.array(tick, { minLength: 1, maxLength: 60 }), (ticks) => {
      const builder = new ChunkBuilder(STREAM.schema, ticks.length);
      let ts = TS;
      ticks.forEach(({ price, size, gap }, offset) => {
        ts += gap;
        STREAM.decode(raw({ symbol: 'A', ts, price, size }, 'A', offset), builder);
      });
      const chunk = builder.finish(ticks.length);
      const state = new Float64Array(STREAM.stateSize);
      const inputs = new Float32Array(STREAM.inputSize);
      const context = new Float64Array(STREAM.contextSize);
      for (let row = 0; row < chunk.rows; row += 1) {
        STREAM.advance(chunk, row, { state, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 });
        assert(inputs.every((value) => Number.isFinite(value) && Math.abs(value) <= 8));
        assert(state.every(Number.isFinite) && context.every(Number.isFinite));
      }
    }),
  );
});

test('quantiles never cross', () => {
  fc.assert(
    fc.property(
      fc.tuple(
        fc.float({ noNaN: true, min: -1e6, max: 1e6 }),
        fc.float({ noNaN: true, min: -1e6, max: 1e6 }),
        fc.float({ noNaN: true, min: -1e6, max: 1e6 }),
      ),
      (raws) => {
        const [q10, q50, q90] = quantilesOf(raws, 0);
        assert(q10 <= q50 && q50 <= q90);
      },
    ),
  );
});

test('the gradient of the pinball loss is that of finite differences', () => {
  const outputs = [0.3, -0.2, 0.5, -0.4, 0.1, 0.9];
  const targets = [0.7, -1.3];
  const gradient = new Float64Array(6);
  tickLoss(outputs, targets, gradient);
  outputs.forEach((_, i) => {
    const at = (change: number): number =>
      tickLoss(
        outputs.map((value, j) => value + (i === j ? change : 0)),
        targets,
        new Float64Array(6),
      );
    assert(Math.abs((at(1e-6) - at(-1e-6)) / 2e-6 - gradient[i]) < 1e-7, `output ${i}`);
  });
});

test('a generated feed is the same for the same seed and another for another', () => {
  const feed = (seed: number): string => JSON.stringify([...generatedTicks({ seed, symbols: 5, records: 100 })]);
  assert.equal(feed(1), feed(1));
  assert.notEqual(feed(1), feed(2));
});
