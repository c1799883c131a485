/** Late records: decided by the series' own records alone, whatever the batches, the workers and the crashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APPLY_LATE_HEADER,
  type LatePolicy,
  pointIdentity,
  type RawRecord,
  type RecordHeaders,
  type Stream,
  splitLine,
} from '@tideline/pipeline';
import fc from 'fast-check';
import { createChainEngine } from '../../simulation/chain-engine.ts';
import { expectChain } from '../../simulation/chain-oracle.ts';
import { type ChainKind, createChainStream } from '../../simulation/chain-stream.ts';
import { type RunResult, runRecords, SHARD } from './order-run.ts';

const TS = 1_700_000_000_000;

interface Event {
  readonly key: string;
  readonly kind: ChainKind;
  readonly ts: number;
  /** The record says that it is to be stepped however late it is. */
  readonly isForced: boolean;
}

const EVENTS = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom<ChainKind>('step', 'step', 'step', 'skip', 'end'),
    // Few times, so that many are equal and many go back.
    ts: fc.integer({ min: TS, max: TS + 12 }),
    isForced: fc.boolean(),
  }),
  { minLength: 20, maxLength: 60 },
);

function headersOf(i: number, isForced: boolean): RecordHeaders {
  const trace = [Buffer.from(`ä${i}`), Buffer.from([255, i]), Buffer.alloc(0), null];
  return { trace, ...(isForced ? { [APPLY_LATE_HEADER]: [Buffer.from('1')] } : {}) };
}

function recordsOf(events: readonly Event[], originals = true): RawRecord[] {
  return events.map(({ key, kind, ts, isForced }, i) => ({
    offset: 3 * i,
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify({ key, kind, value: i, ts, note: '\uFEFFü — \u0000' })),
    timestampMs: 5 + i,
    headers: originals ? headersOf(i, isForced) : {},
  }));
}

/** The rule in its plainest form: which events are late, told one by one. */
function latenessOf(events: readonly Event[], applies: (event: Event) => boolean): boolean[] {
  const newest = new Map<string, number>();
  return events.map((event) => {
    const { key, kind, ts } = event;
    const isLate = kind !== 'end' && ts < (newest.get(key) ?? 0);
    if (kind === 'end') newest.delete(key);
    else if (kind === 'step' && (!isLate || applies(event))) newest.set(key, Math.max(ts, newest.get(key) ?? 0));
    return isLate;
  });
}

const streamOf = (late: LatePolicy): Stream => ({
  ...createChainStream(),
  late,
  ends: (chunk, row) => chunk.texts[0][row] === 'end',
});

function run(records: readonly RawRecord[], late: LatePolicy, seed: number): Promise<RunResult> {
  let state = seed;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const newEngine = () => createChainEngine({ slotsMax: 100 });
  return runRecords(records, { stream: streamOf(late), newEngine, draw, writesACrash: 2 });
}

/** Points and states of a straight run over the records. */
function expected(records: readonly RawRecord[]) {
  const points = new Map<string, string>();
  const sim = records.map((record) => ({ record }) as Parameters<typeof expectChain>[0]['records'][number]);
  const { states } = expectChain({ shard: SHARD, low: 0, records: sim } as Parameters<typeof expectChain>[0], points);
  const last = [...states].map(([key, history]) => [key, history[history.length - 1].bytes] as const);
  const kept = last.flatMap(([key, bytes]) =>
    bytes === null ? [] : [[key, Buffer.from(bytes).toString('hex')] as const],
  );
  return { points, states: new Map(kept) };
}

function pointsOf({ lines }: RunResult): Map<string, string> {
  return new Map(lines.map((line) => [pointIdentity(line), splitLine(line).fields]));
}

for (const late of ['apply', 'drop', 'dead-letter'] as const)
  test(`late: ${late} gives the same points, states and letters in every batching and after every crash`, async () => {
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(EVENTS, fc.nat(), async (events, seed) => {
        const records = recordsOf(events);
        const applies = (event: Event): boolean => late === 'apply' || (late === 'dead-letter' && event.isForced);
        const lateness = latenessOf(events, applies);
        const taken = records.filter((_, i) => !lateness[i] || applies(events[i]));
        const result = await run(records, late, seed);
        crashes += result.crashes;
        const { points, states } = expected(taken);
        assert.deepEqual(pointsOf(result), points);
        assert.deepEqual(result.states, states);
        const refused = late === 'dead-letter' ? records.filter((record) => !taken.includes(record)) : [];
        const letters = [...result.letters].sort((a, b) => a.offset - b.offset);
        assert.deepEqual(
          letters.map(({ code, record }) => ({ code, record })),
          refused.map((record) => ({ code: 'LATE_RECORD', record })),
        );
      }),
      { numRuns: 100 },
    );
    assert.ok(crashes > 60, `${crashes} crashes are too few to prove anything`);
  });

const STRAIGHT = [
  { key: 'a', kind: 'step', ts: TS + 1_500, isForced: false },
  { key: 'a', kind: 'step', ts: TS, isForced: false },
  { key: 'b', kind: 'step', ts: TS, isForced: false },
] as const;

test('every late record is counted, whatever becomes of it', async () => {
  for (const late of ['apply', 'drop', 'dead-letter'] as const) {
    const { events } = await runRecords(recordsOf(STRAIGHT), {
      stream: streamOf(late),
      newEngine: () => createChainEngine({ slotsMax: 9 }),
      draw: () => 0,
      writesACrash: 0,
    });
    const counted = events.filter(({ type }) => type === 'late');
    assert.deepEqual(counted, [{ type: 'late', shard: SHARD, policy: late, late: 1, repeated: 0 }]);
  }
});

test('the letter of a late record names both times', async () => {
  const { letters } = await run(recordsOf(STRAIGHT), 'dead-letter', 1);
  assert.equal(letters.length, 1);
  assert.match(letters[0].reason, /2023-11-14T22:13:20\.000Z is before 2023-11-14T22:13:21\.500Z/);
});
