/** Figures over many seeds, summed. Plain values, so that a worker thread can send them. */
import { createHash } from 'node:crypto';
import type { SimulationReport } from './simulate.ts';

export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

export interface Tally {
  seeds: number;
  records: number;
  points: number;
  events: number;
  awaits: number;
  virtualMs: number;
  drainMsMax: number;
  missing: number;
  duplicated: number;
  wrong: number;
  otherViolations: number;
  digestsUnequal: number;
  /** Sum of a SHA-256 a seed over its digest of all points, modulo 2^256: the same whichever worker ran what. */
  digest: string;
  /** Seeds run twice, and those whose second run went another way. */
  replayed: number;
  replaysUnequal: number;
  faults: Record<string, number>;
  special: Record<string, number>;
  failures: Failure[];
}

const FAILURES_MAX = 50;
const DIGEST_BITS = 256;

export function emptyTally(): Tally {
  return {
    ...{ seeds: 0, records: 0, points: 0, events: 0, awaits: 0, virtualMs: 0, drainMsMax: 0 },
    ...{ missing: 0, duplicated: 0, wrong: 0, otherViolations: 0, digestsUnequal: 0, replayed: 0, replaysUnequal: 0 },
    ...{ digest: '0', faults: {}, special: {}, failures: [] },
  };
}

export function addReport(tally: Tally, report: SimulationReport): void {
  tally.seeds += 1;
  tally.records += report.records;
  tally.points += report.points;
  tally.events += report.events;
  tally.awaits += report.awaits;
  tally.virtualMs += report.virtualMs;
  tally.drainMsMax = Math.max(tally.drainMsMax, report.drainMs);
  if (report.digests.found !== report.digests.expected) tally.digestsUnequal += 1;
  const { seed, digests } = report;
  tally.digest = added(tally.digest, createHash('sha256').update(`${seed} ${digests.found}`).digest('hex'));
  for (const { kind } of report.violations) {
    if (kind === 'missing' || kind === 'duplicated' || kind === 'wrong') tally[kind] += 1;
    else tally.otherViolations += 1;
  }
  addCounts(tally.faults, Object.fromEntries(report.faults));
  addCounts(tally.special, report.special);
  if (report.violations.length > 0 && tally.failures.length < FAILURES_MAX)
    tally.failures.push({
      seed: report.seed,
      violations: report.violations.map(({ kind, what }) => `${kind}: ${what}`),
    });
}

/** Adds another worker's figures. */
export function addTally(into: Tally, from: Tally): void {
  const sums = [
    ...(['seeds', 'records', 'points', 'events', 'awaits', 'virtualMs', 'missing', 'duplicated', 'wrong'] as const),
    ...(['otherViolations', 'digestsUnequal', 'replayed', 'replaysUnequal'] as const),
  ];
  for (const name of sums) into[name] += from[name];
  into.digest = added(into.digest, from.digest);
  into.drainMsMax = Math.max(into.drainMsMax, from.drainMsMax);
  addCounts(into.faults, from.faults);
  addCounts(into.special, from.special);
  into.failures = [...into.failures, ...from.failures].slice(0, FAILURES_MAX);
}

function addCounts(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count;
}

function added(one: string, other: string): string {
  return BigInt.asUintN(DIGEST_BITS, BigInt(`0x${one}`) + BigInt(`0x${other}`))
    .toString(16)
    .padStart(DIGEST_BITS / 4, '0');
}

/** The figures as one line of JSON: faults by kind and count, records, and what was missing, duplicated or wrong. */
export function tallyLine(tally: Tally, more: Readonly<Record<string, unknown>> = {}): string {
  const { failures, digestsUnequal, replaysUnequal, otherViolations, digest, faults, special, ...figures } = tally;
  return JSON.stringify({
    ...figures,
    ...more,
    ...{ faultsTotal: totalOf(faults), faults: byCount(faults), special: byCount(special) },
    ...{ virtualMs: Math.round(tally.virtualMs), drainMsMax: Math.round(tally.drainMsMax), otherViolations },
    ...{ digest, digestEqual: digestsUnequal === 0, replayEqual: replaysUnequal === 0 },
    failingSeeds: failures.map(({ seed }) => seed),
  });
}

export function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function byCount(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([one, a], [other, b]) => b - a || one.localeCompare(other)));
}
