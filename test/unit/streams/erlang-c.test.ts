import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentsFor, erlangB, erlangC, loadOf, serviceLevel } from '@tideline/streams';
import fc from 'fast-check';

const TARGET = { serviceLevel: 0.8, answerWithinSeconds: 20, handleTimeSeconds: 180 };

test('Erlang B gives the published tables: the load that so many lines carry at a blocking of 0.1, 1 and 5 %', () => {
  // Traffic tables as in ITU-T E.520 and any book of teletraffic: lines, blocking, erlangs.
  for (const [lines, blocking, load] of [
    [5, 0.001, 0.762],
    [10, 0.01, 4.461],
    [20, 0.01, 12.03],
    [100, 0.01, 84.06],
    [10, 0.05, 6.216],
  ] as const)
    assert.ok(Math.abs(erlangB(load, lines) / blocking - 1) < 0.005, `${lines} lines: ${erlangB(load, lines)}`);
});

test('Erlang C gives the textbook queue: 100 calls of 180 s in half an hour need 14 agents for 80 % within 20 s', () => {
  const load = loadOf(100, 1_800_000, TARGET);
  assert.equal(load, 10);
  assert.ok(Math.abs(erlangC(10, 14) - 0.1741) < 5e-4, `${erlangC(10, 14)}`);
  assert.ok(Math.abs(serviceLevel(10, 14, TARGET) - 0.888) < 1e-3);
  assert.equal(agentsFor(load, TARGET), 14);
  assert.equal(erlangC(10, 10), 1, 'as many agents as erlangs never get through the line');
});

test('one agent waits as an M/M/1 queue does', () => {
  for (const load of [0.01, 0.5, 0.99]) assert.ok(Math.abs(erlangC(load, 1) - load) < 1e-12);
});

/** Sums of a^n / n! relative to the last term, term by term: slow, and without the recursion. */
function plainErlangC(load: number, agents: number): number {
  let sum = 0;
  let term = 1;
  for (let n = agents; n >= 1; n -= 1) {
    term *= n / load;
    sum += term;
  }
  const last = agents / (agents - load);
  return last / (sum + last);
}

test('the short way from near the load equals the sum over all agents', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 5_000, noNaN: true }), fc.integer({ min: 1, max: 200 }), (load, more) => {
      const agents = Math.floor(load) + more;
      const expected = plainErlangC(load, agents);
      assert.ok(Math.abs(erlangC(load, agents) - expected) <= 1e-9 * expected + 1e-300);
    }),
    { numRuns: 200 },
  );
});

test('the agents are the fewest that keep the promise, from a call a week to a hundred million erlangs', () => {
  for (const load of [1e-6, 0.3, 7, 55.5, 1_234, 98_765.4, 1e8]) {
    const agents = agentsFor(load, TARGET);
    assert.ok(serviceLevel(load, agents, TARGET) >= TARGET.serviceLevel, `${load}`);
    assert.ok(serviceLevel(load, agents - 1, TARGET) < TARGET.serviceLevel, `${load}`);
  }
  assert.equal(agentsFor(0, TARGET), 0);
});

test('a promise that only nobody waiting would keep still ends', () => {
  const strict = { serviceLevel: 1 - 1e-15, answerWithinSeconds: 0, handleTimeSeconds: 300 };
  const agents = agentsFor(50, strict);
  assert.ok(agents > 50 && agents < 300, `${agents}`);
});
