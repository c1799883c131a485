import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryDeadLetterSink, createMemoryPointSink } from '@tideline/adapters';
import { type DeadLetter, PointLines } from '@tideline/pipeline';

test('memory point sink: the last write of a point counts, and writes are told', async () => {
  const told: string[] = [];
  await using sink = createMemoryPointSink({ onWrite: (lines) => told.push(...lines) });
  await sink.write(PointLines.of(['forecast,series=A\\ B q50=1 10', 'forecast,series=C q50=1 10']));
  await sink.write(PointLines.of(['forecast,series=A\\ B q50=2,last=3 10', 'forecast,series=A\\ B q50=4 11']));
  assert.deepEqual(
    [...sink.lines()],
    ['forecast,series=A\\ B q50=2,last=3 10', 'forecast,series=C q50=1 10', 'forecast,series=A\\ B q50=4 11'],
  );
  assert.equal(sink.size, 3);
  assert.equal(told.length, 4);
});

test('memory dead letters: one letter a position', async () => {
  await using sink = createMemoryDeadLetterSink();
  const letter = (offset: number, reason: string): DeadLetter => ({
    code: 'POISON_RECORD',
    ...{ shard: { topic: 'ticks', partition: 0 }, offset, reason, field: '' },
    record: { offset, key: null, value: null, timestampMs: 0, headers: {} },
  });
  await sink.write([letter(1, 'first'), letter(2, 'other')]);
  await sink.write([letter(1, 'again')]);
  assert.deepEqual(
    sink.letters().map(({ offset, reason }) => [offset, reason]),
    [
      [1, 'again'],
      [2, 'other'],
    ],
  );
});
