import { readStateHeader, type ShardStatus, shardName } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import type { Environment } from '../addresses.ts';
import { printable } from '../printable.ts';
import { openStateStore, type StatePlace, type StateStore, shardsOf } from './state-store.ts';

export interface ShowOptions extends StatePlace {
  readonly key?: string | undefined;
  readonly quarantined?: true | undefined;
  readonly json?: true | undefined;
}

/** Prints how the shards stand, or the states of one series, or the series that are quarantined. */
export async function showState(env: Environment, name: string | undefined, options: ShowOptions): Promise<void> {
  await using store = await openStateStore(env, options);
  const all = await shardsOf(store);
  const shards = name === undefined ? all : all.filter(({ shard }) => shardName(shard) === name);
  if (name !== undefined && shards.length === 0) {
    const known = all.map(({ shard }) => shardName(shard)).join(', ') || 'none';
    throw new ConfigurationError([`There is no shard '${name}'. Known: ${known}.`]);
  }
  const found = await rows(store, shards, options);
  if (options.key !== undefined && found.length === 0)
    throw new ConfigurationError([`No shard that was looked at has a state of '${options.key}'.`]);
  for (const row of found) process.stdout.write(`${options.json ? JSON.stringify(row) : textOf(row)}\n`);
  if (found.length === 0 && !options.json)
    process.stderr.write(options.quarantined ? 'No series is quarantined.\n' : 'The store knows no shard.\n');
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

async function rows(store: StateStore, shards: readonly ShardStatus[], options: ShowOptions): Promise<Row[]> {
  const { key } = options;
  if (key === undefined && !options.quarantined)
    return Promise.all(shards.map(async (status) => shardRow(status, await store.snapshot(status.shard, []))));
  const found: Row[] = [];
  for (const { shard } of shards) {
    if (key !== undefined) {
      const [bytes] = await store.load(shard, [key]);
      if (bytes) found.push(stateRow(shardName(shard), key, bytes, options.json === true));
      continue;
    }
    for await (const state of store.states(shard))
      if (readStateHeader(state.bytes)?.quarantined)
        found.push(stateRow(shardName(shard), state.key, state.bytes, false));
  }
  return found;
}

function shardRow(status: ShardStatus, snapshot: { readonly model: string } | null): Row {
  const { shard, epoch, owner, position, head, logBytes, series, ticket } = status;
  const lag = Math.max(0, head - position);
  return {
    shard: shardName(shard),
    position,
    head,
    lag,
    series,
    logBytes,
    epoch,
    owner,
    ticket,
    model: snapshot?.model ?? '',
  };
}

function stateRow(shard: string, key: string, bytes: Uint8Array, whole: boolean): Row {
  const header = readStateHeader(bytes);
  const { quarantined = false, model = '' } = header ?? {};
  const state = whole ? { state: Buffer.from(bytes).toString('base64') } : {};
  return { shard, key, bytes: bytes.length, model, quarantined, ...state };
}

function textOf(row: Row): string {
  return Object.entries(row)
    .map(
      ([name, value]) => `${name}=${name === 'model' ? String(value).slice(0, 12) : printable(String(value ?? '-'))}`,
    )
    .join('  ');
}
