/** Draws the records of one partition, stream by stream. */
import type { RawRecord } from '@tideline/pipeline';
import type { Chance } from './chance.ts';
import type { SimRecord } from './sim-kafka.ts';

/** Probabilities of records that are out of the ordinary. */
export interface RecordRates {
  readonly poison: number;
  readonly late: number;
  readonly gap: number;
  readonly end: number;
  readonly nan: number;
}

export interface RecordsDraw {
  readonly chance: Chance;
  readonly rates: RecordRates;
  /** Counted up. */
  readonly special: { poison: number; late: number; gaps: number; ends: number; silent: number };
  readonly partition: number;
  /** Virtual time at which each record is there. */
  readonly times: readonly number[];
  /** First offset. */
  readonly low: number;
}

const START_MS = Date.UTC(2026, 0, 5);
const LATE_MS = 5_000;
const UTTERANCES = ['I am angry about my bill.', 'Thank you, that is great!', 'Order four one seven.', ''] as const;

interface Drawn {
  readonly key: string;
  readonly value: unknown;
}

export function chainRecords(draw: RecordsDraw): SimRecord[] {
  const { chance, rates, special, partition } = draw;
  const series = chance.whole(1, 10);
  const poison = [
    '{"key":"s',
    '{"key":"s0","kind":"step","ts":1}',
    '{"key":"s0","kind":"leap","value":1,"ts":1}',
    'null',
    '',
  ];
  return records(draw, poison, (ts) => {
    const key = `s${partition}.${chance.whole(1, series)}${partition === 2 ? ' é,=' : ''}`;
    let kind = chance.is(0.1) ? 'skip' : 'step';
    if (chance.is(rates.nan)) kind = 'nan';
    if (chance.is(rates.end)) {
      kind = 'end';
      special.ends += 1;
    }
    return { key, value: { key, kind, value: chance.whole(0, 999_999), ts } };
  });
}

export function tickRecords(draw: RecordsDraw): SimRecord[] {
  const { chance, partition } = draw;
  const symbols = chance.whole(1, 10);
  const poison = [
    '{"symbol":',
    '{"symbol":"T","ts":1700000000,"price":1}',
    '{"symbol":"T","ts":1700000000000,"price":-1}',
  ];
  return records(draw, poison, (ts) => {
    const symbol = `T${partition}.${chance.whole(1, symbols)}`;
    return {
      key: symbol,
      value: { symbol, ts, price: 100 + chance.whole(-300, 300) / 100, size: chance.whole(0, 500) },
    };
  });
}

export function callRecords(draw: RecordsDraw): SimRecord[] {
  const { chance, rates, special, partition } = draw;
  const calls = chance.whole(1, 6);
  const poison = ['{"callId":"c"}', '{"callId":"c","ts":1700000000000,"type":"sung"}', '[]'];
  return records(draw, poison, (ts) => {
    const callId = `c${partition}.${chance.whole(1, calls)}`;
    if (chance.is(rates.end)) {
      special.ends += 1;
      return { key: callId, value: { callId, ts, type: 'ended' } };
    }
    if (chance.is(0.1)) return { key: callId, value: { callId, ts, type: 'started', queue: 'billing', agentId: 'a7' } };
    const final = chance.is(0.8);
    const speaker = chance.pick(['customer', 'agent']);
    return { key: callId, value: { callId, ts, type: 'utterance', speaker, text: chance.pick(UTTERANCES), final } };
  });
}

function records(
  { chance, rates, special, times, low }: RecordsDraw,
  poison: readonly string[],
  drawOne: (ts: number) => Drawn,
): SimRecord[] {
  let offset = low;
  let ts = START_MS;
  return times.map((atMs) => {
    if (chance.is(rates.gap)) {
      offset += chance.whole(1, 20);
      special.gaps += 1;
    }
    const isLate = chance.is(rates.late);
    if (isLate) special.late += 1;
    else ts += chance.whole(0, 3); // equal times are common
    const { key, value } = drawOne(isLate ? ts - LATE_MS : ts);
    let text = JSON.stringify(value);
    if (chance.is(rates.poison)) {
      text = chance.pick(poison);
      special.poison += 1;
    }
    offset += 1;
    return { atMs, record: rawRecord(offset - 1, key, text, chance) };
  });
}

function rawRecord(offset: number, key: string, value: string, chance: Chance): RawRecord {
  // The broker's clock decides nothing, so it may say anything.
  const timestampMs = chance.whole(0, 2_000_000_000_000);
  return { offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs, headers: {} };
}
