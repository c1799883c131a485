/** Short words for the operations of the ShardStore contract. */
import { randomUUID } from 'node:crypto';
import type { Commit, Shard, ShardStore } from '@tideline/pipeline';

/** Registers one promise, checked with a new store and a new shard. */
export type Promising = (
  title: string,
  check: (store: ShardStore, shard: Shard, place: string) => Promise<void>,
) => void;

export const randomShard = (): Shard => ({ topic: `contract.${randomUUID()}`, partition: 3 });
export const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
/** 256 values, so that a store that decodes text anywhere is found out. */
export const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

export async function put(store: ShardStore, shard: Shard, from: number, next: number, sizeBytes = 4) {
  return store.append(shard, { from, begins: from === 0, next, bytes: new Uint8Array(sizeBytes).fill(next % 256) });
}

export function batch(shard: Shard, epoch: number, from: number, position: number, rest: Partial<Commit> = {}): Commit {
  return { shard, epoch, from, position, model: 'm1', keys: [], states: [], removed: [], ...rest };
}

export async function statusOf(store: ShardStore, shard: Shard) {
  const all = await store.status();
  return all.find((status) => status.shard.topic === shard.topic && status.shard.partition === shard.partition);
}

export async function statesOf(store: ShardStore, shard: Shard): Promise<Record<string, number[]>> {
  const states: Record<string, number[]> = {};
  for await (const { key, bytes } of store.states(shard)) states[key] = [...bytes];
  return states;
}
