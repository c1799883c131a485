import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchPace } from '@tideline/adapters';

test('a fetch is paced by the time that handling a batch takes, up to the maximum', () => {
  const pace = new FetchPace(10);
  assert.equal(pace.intervalMs, 0, 'nothing is known yet');
  for (let i = 0; i < 100; i += 1) pace.handled(5, 1);
  assert.ok(Math.abs(pace.intervalMs - 3) < 0.01, `${pace.intervalMs} ms where handling takes 1 ms`);
  for (let i = 0; i < 100; i += 1) pace.handled(5, 60);
  assert.equal(pace.intervalMs, 10);
  for (let i = 0; i < 100; i += 1) pace.handled(5, 0.5);
  assert.ok(pace.intervalMs < 1.6, `${pace.intervalMs} ms after the machine is free again`);
});

test('one long wait for the store does not slow the fetches that follow to the maximum', () => {
  const pace = new FetchPace(10);
  for (let i = 0; i < 100; i += 1) pace.handled(5, 1);
  pace.handled(5, 60_000);
  assert.ok(pace.intervalMs < 6, `${pace.intervalMs} ms`);
});

test('large batches are not paced, and say nothing about small ones', () => {
  const pace = new FetchPace(10);
  for (let i = 0; i < 100; i += 1) pace.handled(5, 1);
  const before = pace.intervalMs;
  pace.handled(2_000, 9);
  assert.equal(pace.intervalMs, before);
  assert.equal(pace.after(2_000), undefined);
  assert.equal(new FetchPace(0).after(1), undefined);
});

test('the batches of one fetch share one wait, and the next fetch has one of its own', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pace = new FetchPace(10);
  for (let i = 0; i < 100; i += 1) pace.handled(5, 2);
  const first = pace.after(5);
  assert.equal(pace.after(7), first);
  t.mock.timers.tick(6);
  await first;
  assert.notEqual(pace.after(5), first);
});
