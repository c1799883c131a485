/** What a seed reads: partitions of records, among them poison, late and equal times, ends of series, and gaps in the offsets. */
import type { RawRecord, Shard } from '@tideline/pipeline';
import type { ChainKind } from './chain-stream.ts';
import type { Chance } from './chance.ts';
import type { SimPartition, SimRecord } from './sim-kafka.ts';

export const CHAIN_TOPIC = 'chain';
const START_MS = Date.UTC(2026, 0, 5);
const POISON = [
  '{"key":"s',
  '{"key":"s0","kind":"step","ts":1}',
  '{"key":"s0","kind":"leap","value":1,"ts":1}',
  'null',
  '',
] as const;

/** Records of one workload by partition, and how many of them are out of the ordinary. */
export interface Workload {
  readonly partitions: readonly SimPartition[];
  readonly records: number;
  /** Virtual time at which the last record is there. */
  readonly untilMs: number;
  readonly special: { readonly poison: number; readonly late: number; readonly gaps: number; readonly ends: number };
}

export function chainWorkload(chance: Chance): Workload {
  const special = { poison: 0, late: 0, gaps: 0, ends: 0 };
  const untilMs = chance.magnitude(300, 6_000);
  const rates = {
    poison: chance.is(0.5) ? 0.05 : 0,
    late: chance.is(0.5) ? 0.1 : 0,
    gap: chance.is(0.5) ? 0.1 : 0,
    end: chance.is(0.5) ? 0.08 : 0,
    nan: chance.is(0.15) ? 0.03 : 0,
  };
  const partitions: SimPartition[] = [];
  const partitionCount = chance.whole(1, 3);
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const shard: Shard = { topic: CHAIN_TOPIC, partition };
    const series = chance.whole(1, 10);
    const count = Math.round(chance.magnitude(8, 90));
    const times = Array.from({ length: count }, () => chance.number() * untilMs).sort((a, b) => a - b);
    const records: SimRecord[] = [];
    const low = chance.is(0.3) ? chance.whole(1, 1_000) : 0;
    let offset = low;
    let ts = START_MS;
    for (const atMs of times) {
      if (chance.is(rates.gap)) {
        offset += chance.whole(1, 20);
        special.gaps += 1;
      }
      const isLate = chance.is(rates.late);
      if (isLate) special.late += 1;
      else ts += chance.whole(0, 3); // equal times are common
      const key = `s${partition}.${chance.whole(1, series)}${partition === 2 ? ' é,=' : ''}`;
      const kind = kindOf(chance, rates);
      if (kind === 'end') special.ends += 1;
      let value = JSON.stringify({ key, kind, value: chance.whole(0, 999_999), ts: isLate ? ts - 5_000 : ts });
      if (chance.is(rates.poison)) {
        value = chance.pick(POISON);
        special.poison += 1;
      }
      records.push({ atMs, record: rawRecord(offset, key, value, chance) });
      offset += 1;
    }
    partitions.push({ shard, low, records });
  }
  const records = partitions.reduce((sum, partition) => sum + partition.records.length, 0);
  return { partitions, records, untilMs, special };
}

function kindOf(chance: Chance, rates: { readonly end: number; readonly nan: number }): ChainKind {
  if (chance.is(rates.end)) return 'end';
  if (chance.is(rates.nan)) return 'nan';
  return chance.is(0.1) ? 'skip' : 'step';
}

function rawRecord(offset: number, key: string, value: string, chance: Chance): RawRecord {
  return {
    offset,
    key: Buffer.from(key),
    value: Buffer.from(value),
    // The broker's clock decides nothing, so it may say anything.
    timestampMs: chance.whole(0, 2_000_000_000_000),
    headers: {},
  };
}
