/** What every LiveFeed promises: a copy of new points to those who listen, and never a hold-up of those who publish. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type LiveFeed, PointLines } from '@tideline/pipeline';

export interface LiveFeedSubject {
  readonly name: string;
  /** Opens a feed; where `shared`, two feeds of one channel hear each other. */
  open(channel: string): Promise<LiveFeed>;
  readonly shared: boolean;
}

const DEADLINE_MS = 5_000;

/** Lines heard so far, and a promise of the moment when `count` have been. */
function ear() {
  const lines: string[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  return {
    lines,
    listen: (more: readonly string[]) => {
      lines.push(...more);
      for (const { count, resolve } of waiters) if (lines.length >= count) resolve();
    },
    heard: (count: number) =>
      new Promise<void>((resolve, reject) => {
        if (lines.length >= count) return resolve();
        const late = setTimeout(() => reject(new Error(`Heard ${lines.length} of ${count} lines.`)), DEADLINE_MS);
        waiters.push({
          count,
          resolve: () => {
            clearTimeout(late);
            resolve();
          },
        });
      }),
  };
}

/** Registers the suite's tests. */
export function liveFeedContract(subject: LiveFeedSubject): void {
  test(`${subject.name}: every listener hears what is published after it subscribed, in order`, async () => {
    await using feed = await subject.open(randomUUID());
    const [one, two] = [ear(), ear()];
    feed.publish(PointLines.of(['before a=1 1']));
    await feed.subscribe(one.listen);
    await feed.subscribe(two.listen);
    const lines = Array.from({ length: 5_000 }, (_, index) => `ticks,series=Ü\\ ${index} q50=${index} ${index}`);
    for (let at = 0; at < lines.length; at += 100) feed.publish(PointLines.of(lines.slice(at, at + 100)));
    feed.publish(PointLines.of([]));
    const last = 'end a=1 2';
    feed.publish(PointLines.of([last]));
    for (const { heard } of [one, two]) await heard(lines.length + 1);
    for (const heard of [one, two])
      assert.deepEqual(
        heard.lines.filter((line) => !line.startsWith('before')),
        [...lines, last],
      );
  });

  test(`${subject.name}: who has ended the subscription hears nothing more`, async () => {
    await using feed = await subject.open(randomUUID());
    const [gone, stays] = [ear(), ear()];
    const end = await feed.subscribe(gone.listen);
    await feed.subscribe(stays.listen);
    feed.publish(PointLines.of(['a a=1 1']));
    await Promise.all([gone.heard(1), stays.heard(1)]);
    await end();
    await end();
    feed.publish(PointLines.of(['b a=1 1']));
    await stays.heard(2);
    assert.deepEqual(gone.lines, ['a a=1 1']);
  });

  test(`${subject.name}: a listener that throws disturbs no other`, async () => {
    await using feed = await subject.open(randomUUID());
    await feed.subscribe(() => {
      throw new Error('A listener with a fault.');
    });
    const other = ear();
    await feed.subscribe(other.listen);
    feed.publish(PointLines.of(['a a=1 1']));
    await other.heard(1);
  });

  test(`${subject.name}: publishing to nobody or after the end is no fault`, async () => {
    const feed = await subject.open(randomUUID());
    feed.publish(PointLines.of(['a a=1 1']));
    await feed[Symbol.asyncDispose]();
    await feed[Symbol.asyncDispose]();
    feed.publish(PointLines.of(['a a=1 1']));
  });

  if (!subject.shared) return;
  test(`${subject.name}: one process hears another`, async () => {
    const channel = randomUUID();
    await using forecaster = await subject.open(channel);
    await using gateway = await subject.open(channel);
    await using stranger = await subject.open(randomUUID());
    const [near, far] = [ear(), ear()];
    await gateway.subscribe(near.listen);
    await stranger.subscribe(far.listen);
    forecaster.publish(PointLines.of(['a a=1 1', 'b b=1 1']));
    await near.heard(2);
    assert.deepEqual(near.lines, ['a a=1 1', 'b b=1 1']);
    assert.deepEqual(far.lines, []);
  });
}
