/** What every CheckpointLog promises: the newest complete checkpoint or the one before, never a part of one; and only the newest writer's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckpointLog, type Shard, StaleEpochError, shardName } from '@tideline/pipeline';

export interface CheckpointLogSubject {
  readonly name: string;
  open(): Promise<CheckpointLog>;
}

const SHARD: Shard = { topic: 'ticks-a', partition: 3 };
const OTHER: Shard = { topic: 'ticks-a', partition: 4 };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const marker = (position: number, shard = SHARD) => ({ shard, position, epoch: 2, model: 'abc', atMs: 5 });

async function newest(log: CheckpointLog, shard = SHARD) {
  const found = (await log.read([shard], { takeOver: false, settled: false })).get(shardName(shard));
  if (found === undefined) return null;
  const states = Object.fromEntries([...found.states].map(([key, state]) => [key, Buffer.from(state).toString()]));
  return { marker: found.marker, states };
}

/** Registers the suite's tests. */
export function checkpointLogContract(subject: CheckpointLogSubject): void {
  test(`${subject.name}: a checkpoint shows at its commit, whole; the next one is the difference to it`, async () => {
    await using log = await subject.open();
    assert.equal(await newest(log), null);
    const writer = await log.begin(SHARD);
    await writer.write([
      { key: 'A', bytes: bytes('a1') },
      { key: 'b/ ü\n', bytes: bytes('b1') },
    ]);
    await writer.write([{ key: '', bytes: bytes('') }]);
    assert.equal(await newest(log), null);
    await writer.commit(marker(10));
    assert.deepEqual(await newest(log), { marker: marker(10), states: { A: 'a1', 'b/ ü\n': 'b1', '': '' } });
    await writer.write([
      { key: 'A', bytes: null },
      { key: 'C', bytes: bytes('c2') },
    ]);
    await writer.commit(marker(20));
    assert.deepEqual(await newest(log), { marker: marker(20), states: { 'b/ ü\n': 'b1', '': '', C: 'c2' } });
    await writer.close();
    assert.equal(await newest(log, OTHER), null);
  });

  test(`${subject.name}: what a writer did not commit never shows, and hides nothing`, async () => {
    await using log = await subject.open();
    const writer = await log.begin(SHARD);
    await writer.write([{ key: 'A', bytes: bytes('a1') }]);
    await writer.commit(marker(10));
    await writer.write([{ key: 'A', bytes: bytes('a2') }]);
    await writer.close();
    assert.deepEqual(await newest(log), { marker: marker(10), states: { A: 'a1' } });
  });

  test(`${subject.name}: a writer ends all that began before it, with what they wrote`, async () => {
    await using log = await subject.open();
    const zombie = await log.begin(SHARD);
    await zombie.write([{ key: 'A', bytes: bytes('old') }]);
    const writer = await log.begin(SHARD);
    await writer.write([{ key: 'A', bytes: bytes('new') }]);
    await writer.commit(marker(20));
    await assert.rejects(async () => {
      await zombie.write([{ key: 'B', bytes: bytes('old') }]);
      await zombie.commit(marker(10));
    }, StaleEpochError);
    await zombie.close();
    assert.deepEqual(await newest(log), { marker: marker(20), states: { A: 'new' } });
    await writer.write([{ key: 'A', bytes: bytes('newer') }]);
    await writer.commit(marker(30));
    assert.equal((await newest(log))?.states.A, 'newer');
    await writer.close();
  });

  test(`${subject.name}: a reader that takes over does not wait for a writer that stands still, which is ended`, async () => {
    await using log = await subject.open();
    const first = await log.begin(SHARD);
    await first.write([{ key: 'A', bytes: bytes('a1') }]);
    await first.commit(marker(10));
    await first.write([{ key: 'A', bytes: bytes('a2') }]);
    const other = await log.begin(OTHER);
    await other.write([{ key: 'A', bytes: bytes('o') }]);
    await other.commit(marker(7, OTHER));
    const found = await log.read([SHARD, OTHER], { takeOver: true, settled: true });
    assert.deepEqual([...found.values()].map((one) => one.marker.position).sort(), [10, 7]);
    await assert.rejects(first.commit(marker(20)), StaleEpochError);
    await first.close();
    await other.close();
  });
}
