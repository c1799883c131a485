/** What every DeadLetterSink promises: a refused record is kept as it came, with its reason, once for its position. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetter, DeadLetterSink } from '@tideline/pipeline';

export interface DeadLetterSubject {
  readonly name: string;
  open(): Promise<DeadLetterStore>;
}

/** A sink and a look at what it holds. */
export interface DeadLetterStore extends AsyncDisposable {
  readonly sink: DeadLetterSink;
  read(): Promise<readonly DeadLetter[]>;
}

/** Bytes that are no text, several values of one name in their order, empty and without a value. */
const HEADERS = {
  trace: [Buffer.from('ä')],
  hop: [Buffer.from('b'), Buffer.from([255, 0, 254]), Buffer.from('a')],
  empty: [Buffer.alloc(0)],
  none: [null],
};

function letter(
  offset: number,
  over: Partial<DeadLetter['record']> & { reason?: string; partition?: number } = {},
): DeadLetter {
  const { reason = `price is missing in ${offset}`, partition = 0, ...record } = over;
  return {
    code: offset % 2 === 0 ? 'POISON_RECORD' : 'LATE_RECORD',
    shard: { topic: 'ticks', partition },
    offset,
    reason,
    field: 'price',
    record: {
      offset,
      key: Buffer.from(`s${offset}`),
      value: Buffer.from(`{"n":${offset}}`),
      timestampMs: 1_700_000_000_000 + offset,
      headers: {},
      ...record,
    },
  };
}

/** Comparable: buffers and arrays of bytes alike, in the order of positions. */
function plain(letters: readonly DeadLetter[]) {
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));
  return letters
    .map(({ code, shard, offset, reason, field, record }) => ({
      code,
      position: `${shard.topic}/${shard.partition}/${String(offset).padStart(9, '0')}`,
      reason,
      field,
      key: hex(record.key),
      value: hex(record.value),
      offset: record.offset,
      timestampMs: record.timestampMs,
      headers: Object.entries(record.headers).map(([name, values]) => [name, values.map(hex)]),
    }))
    .sort((a, b) => (a.position < b.position ? -1 : 1));
}

/** Registers the suite's tests. */
export function deadLetterContract(subject: DeadLetterSubject): void {
  test(`${subject.name}: a letter holds the record's bytes, key, headers, time and position, and why it was refused`, async () => {
    await using store = await subject.open();
    const letters = [
      letter(0, { value: Buffer.from([0, 255, 10, 13, 34]), headers: HEADERS }),
      letter(1, { value: null }),
      letter(2, { value: Buffer.alloc(0) }),
      letter(3, { key: null }),
      letter(4, { key: Buffer.from([255, 0]), reason: 'size is -3: give 0 or more — "größer"' }),
    ];
    await store.sink.write(letters);
    assert.deepEqual(plain(await store.read()), plain(letters));
  });

  test(`${subject.name}: a position is one letter however often it is written, and the last one stays`, async () => {
    await using store = await subject.open();
    await store.sink.write([letter(0), letter(1)]);
    await store.sink.write([letter(1, { reason: 'another reason' }), letter(2)]);
    await store.sink.write([letter(0)]);
    assert.deepEqual(plain(await store.read()), plain([letter(0), letter(1, { reason: 'another reason' }), letter(2)]));
  });

  test(`${subject.name}: the same offset in two partitions is two letters`, async () => {
    await using store = await subject.open();
    await store.sink.write([letter(0), letter(0, { partition: 1 })]);
    assert.equal((await store.read()).length, 2);
  });

  test(`${subject.name}: a whole batch of poison is kept, and none is no fault`, async () => {
    await using store = await subject.open();
    assert.deepEqual(await store.read(), []);
    const letters = Array.from({ length: 1_000 }, (_, offset) =>
      letter(offset, { value: Buffer.alloc(2_000, offset) }),
    );
    await store.sink.write(letters);
    await store.sink.write([]);
    assert.deepEqual(plain(await store.read()), plain(letters));
  });
}
