/** What every RecordSource promises: each shard's records in order and without a gap, from where the handler says, no faster than it answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGINNING, type RecordSource, type SourceBatch } from '@tideline/pipeline';
import { eventually } from '../stack/index.ts';
import { createLedger } from './source-ledger.ts';

export interface SourceRecord {
  readonly key: string;
  readonly value: string;
}

/** A log of records that sources read. */
export interface SourceLog extends AsyncDisposable {
  /** A source over the whole log; the test has one at a time. `onError`: it cannot go on. */
  createSource(onError: (error: Error) => void): RecordSource;
  /** Adds records while a source runs; absent where the log cannot grow. */
  append?(records: readonly SourceRecord[]): Promise<void>;
}

export interface SourceSubject {
  readonly name: string;
  /** A log with these records, spread over at least two shards by their keys. */
  open(records: readonly SourceRecord[]): Promise<SourceLog>;
}

const RECORDS = Array.from({ length: 4_000 }, (_, index) => ({ key: `s${index % 40}`, value: `${index}` }));

/** Registers the suite's tests. */
export function sourceContract(subject: SourceSubject): void {
  test(`${subject.name}: every record arrives once, in order and without a gap`, async () => {
    await using log = await subject.open(RECORDS);
    const ledger = createLedger();
    await using source = log.createSource(ledger.onError);
    await source.run(ledger.handler);
    await ledger.holds(RECORDS.length);
    assert.ok(ledger.shards().length > 1, 'the records lie in several shards');
    for (const shard of ledger.shards())
      shard.offsets.forEach((offset, index) => {
        assert.ok(index === 0 || offset > shard.offsets[index - 1]);
      });
    for (let key = 0; key < 40; key += 1) {
      const expected = RECORDS.filter((record) => record.key === `s${key}`).map((record) => record.value);
      assert.deepEqual(ledger.valuesOf(`s${key}`), expected, 'a series stays in one shard, in the order of writing');
    }
  });

  test(`${subject.name}: a new source goes on where the handler says, not where the last one ended`, async () => {
    await using log = await subject.open(RECORDS);
    const ledger = createLedger();
    {
      await using first = log.createSource(ledger.onError);
      await first.run(ledger.handler);
      await ledger.holds(RECORDS.length);
    }
    // The store lost the end of every shard.
    const lost = ledger.forgetLast(7);
    assert.ok(lost > 7);
    await using second = log.createSource(ledger.onError);
    await second.run(ledger.handler);
    await ledger.holds(RECORDS.length);
    assert.equal(ledger.deliveries(), RECORDS.length + lost);
  });

  test(`${subject.name}: the handler can seek to the beginning while the source runs`, async () => {
    await using log = await subject.open(RECORDS);
    const ledger = createLedger();
    let batches = 0;
    await using source = log.createSource(ledger.onError);
    await source.run({
      start: ledger.handler.start,
      async batch(batch) {
        batches += 1;
        if (batches !== 2) return ledger.handler.batch(batch);
        ledger.forgetAll(batch.shard);
        return { seek: BEGINNING };
      },
    });
    await ledger.holds(RECORDS.length);
    assert.ok(batches > 2);
  });

  test(`${subject.name}: a handler that waits gets no second batch of its shard, and nothing is lost`, async () => {
    await using log = await subject.open(RECORDS);
    const ledger = createLedger();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const waiting: SourceBatch[] = [];
    await using source = log.createSource(ledger.onError);
    await source.run({
      start: ledger.handler.start,
      async batch(batch) {
        assert.ok(!waiting.some(({ shard }) => shard.partition === batch.shard.partition));
        waiting.push(batch);
        await gate;
        waiting.splice(waiting.indexOf(batch), 1);
        return ledger.handler.batch(batch);
      },
    });
    await eventually('a batch waits', () => waiting.length > 0);
    open();
    await ledger.holds(RECORDS.length);
    assert.equal(ledger.deliveries(), RECORDS.length);
  });

  test(`${subject.name}: drain waits for the batches under way and delivers nothing more`, async () => {
    await using log = await subject.open(RECORDS);
    const ledger = createLedger();
    let calls = 0;
    let under = 0;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const source = log.createSource(ledger.onError);
    await source.run({
      start: ledger.handler.start,
      async batch(batch) {
        calls += 1;
        under += 1;
        await gate;
        under -= 1;
        return ledger.handler.batch(batch);
      },
    });
    await eventually('a batch is under way', () => under > 0);
    const drained = source.drain();
    let isDrained = false;
    void drained.then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isDrained, false);
    open();
    await drained;
    assert.equal(under, 0);
    const before = calls;
    await log.append?.([{ key: 's1', value: 'late' }]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, before);
    await source[Symbol.asyncDispose]();
  });

  test(`${subject.name}: a record's bytes arrive as they were written`, async () => {
    const values = ['', '{"a":1}', 'Zürich — 東京 🌊', ' ', '\u0000\u0001', 'x'.repeat(100_000)];
    await using log = await subject.open(values.map((value) => ({ key: 'ключ', value })));
    const ledger = createLedger();
    await using source = log.createSource(ledger.onError);
    await source.run(ledger.handler);
    await ledger.holds(values.length);
    assert.deepEqual(ledger.valuesOf('ключ'), values);
  });

  test(`${subject.name}: records that come later are delivered too`, async (t) => {
    await using log = await subject.open(RECORDS.slice(0, 100));
    if (log.append === undefined) return t.diagnostic('this log cannot grow');
    const ledger = createLedger();
    await using source = log.createSource(ledger.onError);
    await source.run(ledger.handler);
    await ledger.holds(100);
    for (let part = 1; part <= 5; part += 1) {
      await log.append(RECORDS.slice(part * 100, part * 100 + 100));
      await ledger.holds(100 + part * 100);
    }
  });
}
