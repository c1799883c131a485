/**
 * The straight run of the chain workload, in its own words: record by record, no chunk, no wave, no commit, nothing of the pipeline.
 * Only the arithmetic of one link is shared with the engine.
 */
import { CHAIN_MODELS, type ChainModel } from './chain-engine.ts';
import { link } from './chain-hash.ts';
import type { ShardExpectation, StateAt } from './expectation.ts';
import { IdleOracle } from './idle-oracle.ts';
import { newTimes, type OracleTimes, stateBytes } from './oracle-state.ts';
import type { SimPartition } from './sim-kafka.ts';

interface Series {
  count: number;
  sum: number;
  hash: number;
  steps: number;
  isQuarantined: boolean;
  readonly times: OracleTimes;
}

const ALERT_REASON = 'The model gave a value that is not finite; the series makes no forecasts until it is reset.';

export interface ChainRun {
  readonly model?: ChainModel;
  readonly from?: number;
  readonly idleTtlMs?: number | null;
  /** Whether the stream tells the sequences that are over. */
  readonly tellsEnds?: boolean;
}

/** What a run without faults makes of one partition by a model that begins at the offset `from`; its points go into `points`. */
export function expectChain(
  { shard, low, records }: SimPartition,
  points: Map<string, string>,
  { model = CHAIN_MODELS[0], from = 0, idleTtlMs = null, tellsEnds = false }: ChainRun = {},
): ShardExpectation {
  const live = new Map<string, Series>();
  const states = new Map<string, StateAt[]>();
  const own: { offset: number; identity: string }[] = [];
  const poison: number[] = [];
  const touched: { offset: number; key: string }[] = [];
  const idle = new IdleOracle(idleTtlMs);
  let end = low;
  const nameOf = (key: string): string => key.replaceAll(',', '\\,').replaceAll('=', '\\=').replaceAll(' ', '\\ ');
  /** A sequence that fell silent may be told; it must be, by who hears its series again. */
  const silentPoint = (key: string, { count, sum, isQuarantined }: Series): string | null => {
    if (!tellsEnds || isQuarantined) return null;
    const tags = `cause=silent,count=${count},model=${model.name},partition=${shard.partition},series=${nameOf(key)}`;
    points.set(`chain_end,${tags} ${sum}`, `sum=${sum}i`);
    return `chain_end,${tags} ${sum}`;
  };
  for (const { record } of records) {
    const { offset } = record;
    end = offset + 1;
    if (offset < from) continue;
    const found = read(record.value);
    if (found === null) {
      poison.push(offset);
      continue;
    }
    const { key, kind, value, ts } = found;
    touched.push({ offset, key });
    const before = live.get(key);
    if (idle.wasSilent(before?.times, ts)) {
      const identity = before === undefined ? null : silentPoint(key, before);
      if (identity !== null) own.push({ offset, identity });
      live.delete(key);
    }
    const taken = idle.take(offset, key, ts);
    const series = live.get(key) ?? {
      ...{ count: 0, sum: 0, hash: 0, steps: 0, isQuarantined: false },
      times: newTimes(),
    };
    live.set(key, series);
    const history = states.get(key) ?? [];
    states.set(key, history);
    if (kind === 'end') {
      live.delete(key);
      if (tellsEnds && !series.isQuarantined) {
        const [count, sum] = [series.count + 1, (series.sum * 31 + value) % 1_000_003];
        const head = `chain_end,cause=ended,count=${count},model=${model.name},partition=${shard.partition},series=${nameOf(key)}`;
        const identity = `${head} ${BigInt(ts) * 1_000_000n + BigInt(offset % 1_000_000)}`;
        own.push({ offset, identity });
        points.set(identity, `sum=${sum}i,offset=${offset}i`);
      }
      history.push({ offset, bytes: null });
      continue;
    }
    series.count += 1;
    series.sum = (series.sum * 31 + value) % 1_000_003;
    series.times.heard = Math.max(series.times.heard, ts);
    series.times.taken = taken;
    if (kind !== 'skip') series.times.stepped = Math.max(series.times.stepped, ts);
    const time = String(BigInt(ts) * 1_000_000n + BigInt(offset % 1_000_000));
    const tag = nameOf(key);
    const say = (head: string, fields: string): void => {
      own.push({ offset, identity: `${head} ${time}` });
      points.set(`${head} ${time}`, fields);
    };
    if (kind === 'nan' && !series.isQuarantined) {
      Object.assign(series, { isQuarantined: true, hash: 0, steps: 0 });
      say(
        `alert,kind=quarantine,series=${tag},stream=chain`,
        `offset=${offset}i,partition=${shard.partition}i,reason="${ALERT_REASON}"`,
      );
    } else if (kind === 'step' && !series.isQuarantined) {
      series.hash = link(link(series.hash ^ model.salt, value), series.count);
      series.steps += 1;
      say(
        `chain,model=${model.name},series=${tag}`,
        `count=${series.count}i,hash=${series.hash}i,offset=${offset}i,partition=${shard.partition}i,` +
          `steps=${series.steps}i,sum=${series.sum}i`,
      );
    }
    history.push({ offset, bytes: bytesOf(model, series), takenMs: taken });
  }
  if (idleTtlMs !== null) for (const [key, series] of live) silentPoint(key, series);
  return { states, points: own, poison, touched, idle: idle.expectation(), restarts: idle.restarts, end };
}

function bytesOf(model: ChainModel, { count, sum, hash, steps, isQuarantined, times }: Series): Uint8Array {
  const [stream, hidden] = [
    [count, sum],
    [hash, steps],
  ];
  return stateBytes({ isQuarantined, modelDigest: model.digest, times, stream, hidden });
}

function read(value: Uint8Array | null): { key: string; kind: string; value: number; ts: number } | null {
  try {
    const found = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array()));
    const isWhole =
      typeof found?.key === 'string' &&
      Number.isFinite(found.value) &&
      Number.isFinite(found.ts) &&
      /^(step|skip|end|nan)$/.test(found.kind);
    return isWhole ? found : null;
  } catch {
    return null;
  }
}
