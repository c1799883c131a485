/** What every PointSink promises: a point's identity is its measurement, tags and time; the last write of an identity stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortedLine } from '@tideline/adapters';
import { PointLines, type PointSink } from '@tideline/pipeline';

export interface PointSinkSubject {
  readonly name: string;
  open(): Promise<PointStore>;
}

/** A sink and a look at what it holds. */
export interface PointStore extends AsyncDisposable {
  readonly sink: PointSink;
  /** One line a point, in any order. */
  read(measurement: string): Promise<string[]>;
}

const line = (index: number, value = index): string =>
  `forecast,series=s${index % 7},horizon=10s q50=${value / 8},offset=${index}i 17000000000000${String(index).padStart(5, '0')}`;

/** Registers the suite's tests. */
export function pointSinkContract(subject: PointSinkSubject): void {
  const holds = async (store: PointStore, lines: readonly string[], measurement = 'forecast') => {
    const found = (await store.read(measurement)).map(sortedLine).sort();
    assert.deepEqual(found, lines.map(sortedLine).sort());
  };

  test(`${subject.name}: it holds what was written, every digit of it`, async () => {
    await using store = await subject.open();
    const lines = Array.from({ length: 12_001 }, (_, index) => line(index));
    await store.sink.write(PointLines.of(lines));
    await holds(store, lines);
  });

  test(`${subject.name}: the same points twice are the same points once`, async () => {
    await using store = await subject.open();
    const lines = Array.from({ length: 500 }, (_, index) => line(index));
    await store.sink.write(PointLines.of(lines));
    await store.sink.write(PointLines.of(lines.slice(100, 400).reverse()));
    await holds(store, lines);
  });

  test(`${subject.name}: the last write of a point stays, within a call and across calls`, async () => {
    await using store = await subject.open();
    await store.sink.write(PointLines.of([line(1, 1), line(2, 2), line(1, 3)]));
    await store.sink.write(PointLines.of([line(2, 4)]));
    await holds(store, [line(1, 3), line(2, 4)]);
  });

  test(`${subject.name}: two points 1 ns apart are two points`, async () => {
    await using store = await subject.open();
    const lines = ['forecast,series=a q50=1 1700000000000000001', 'forecast,series=a q50=2 1700000000000000002'];
    await store.sink.write(PointLines.of(lines));
    await holds(store, lines);
  });

  test(`${subject.name}: names and texts with every awkward character come back as they were`, async () => {
    await using store = await subject.open();
    const lines = [
      'forecast,series=BRK\\ B,queue=a\\,b\\=c q50=-1.5e-7,ok=true,note="a \\"b\\" \\\\ c, d=1 2" 1700000000000000001',
      'forecast,series=東京🌊 q50=0.1,offset=9007199254740991i 1',
      'forecast,series=old q50=3 -1700000000000000001',
    ];
    await store.sink.write(PointLines.of(lines));
    await holds(store, lines);
  });

  test(`${subject.name}: writing nothing is no fault`, async () => {
    await using store = await subject.open();
    await store.sink.write(PointLines.of([]));
    await holds(store, []);
  });
}
