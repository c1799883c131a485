/** A Forecaster over memory ports, and records for it. */
import { createMemoryPointSink, createMemoryShardStore } from '@tideline/adapters';
import {
  ChunkBuilder,
  encodeChunk,
  Forecaster,
  type ForecasterOptions,
  type PipelineEvent,
  type Shard,
  type ShardStore,
  type StepEngine,
} from '@tideline/pipeline';
import { createChainEngine } from '../../simulation/chain-engine.ts';
import { type ChainKind, createChainStream } from '../../simulation/chain-stream.ts';

export const SHARD: Shard = { topic: 'chain', partition: 0 };
export const TICKET = { shard: SHARD, number: 1 };
export const NEVER: AbortSignal = new AbortController().signal;

export interface Row {
  readonly key: string;
  readonly kind?: ChainKind;
}

export const newStore = () => createMemoryShardStore({ logBytesMax: 1e6 });

/** Appends one log entry of the rows, from the shard's head on. */
export async function append(store: ShardStore, rows: readonly Row[], shard: Shard = SHARD): Promise<void> {
  const stream = createChainStream();
  const from = (await store.head(shard)) ?? 0;
  const builder = new ChunkBuilder(stream.schema, rows.length);
  rows.forEach(({ key, kind = 'step' }, i) => {
    const value = JSON.stringify({ key, kind, value: 7 * (from + i), ts: 1_700_000_000_000 + from + i });
    stream.decode({ offset: from + i, key: null, value: Buffer.from(value), timestampMs: 0, headers: {} }, builder);
  });
  const next = from + rows.length;
  await store.append(shard, { from, begins: from === 0, next, bytes: encodeChunk(builder.finish(next)) });
}

export function start(
  store: ShardStore,
  options: {
    readonly owner?: string;
    readonly engine?: StepEngine;
    readonly batchEntriesMax?: number;
    readonly foreignModel?: 'leave' | 'adopt';
    readonly sleep?: ForecasterOptions['sleep'];
    readonly hold?: ForecasterOptions['hold'];
    readonly backlogsMax?: number;
  } = {},
) {
  const sink = createMemoryPointSink();
  const engine = options.engine ?? createChainEngine({ slotsMax: 100 });
  const events: PipelineEvent[] = [];
  const announced: number[] = [];
  const forecaster = new Forecaster({
    foreignModel: options.foreignModel ?? 'leave',
    ...{ store, sink, live: null, owner: options.owner ?? 'a', sleep: options.sleep ?? (() => Promise.resolve()) },
    queue: { announce: async (ticket) => void announced.push(ticket.number) },
    topics: new Map([['chain', { stream: createChainStream(), engine }]]),
    onEvent: (event) => events.push(event),
    batchEntriesMax: options.batchEntriesMax ?? 1,
    sliceRecordsMax: 1_000,
    seriesMax: 100,
    ...(options.hold && { hold: options.hold }),
    ...(options.backlogsMax !== undefined && { backlogsMax: options.backlogsMax }),
  });
  return { forecaster, sink, events, announced };
}
