import {
  type AppendResult,
  BufferPool,
  type Claim,
  type Commit,
  type Fence,
  type LogEntry,
  type Shard,
  type ShardImage,
  type ShardSnapshot,
  type ShardStatus,
  type ShardStore,
  type SnapshotStore,
  shardName,
} from '@tideline/pipeline';
import type { Redis } from 'ioredis';
import {
  assertCommit,
  assertEntry,
  assertFence,
  assertOwner,
  LOG_RECORDS_MAX_DEFAULT,
  type LogBounds,
  staleEpoch,
  stalePosition,
} from '../memory/shard-state.ts';
import { appendsChannel } from './append-feed.ts';
import { COMMIT_SCRIPT } from './commit-scripts.ts';
import { commitInTransaction } from './commit-states.ts';
import { createWriteGatherer } from './gather-writes.ts';
import { checkRedisServer, connectionAddress, openRedis, redisAddress } from './redis-connection.ts';
import { withRedisErrors } from './redis-errors.ts';
import { defineScripts, runShardScript, type ScriptArgument } from './run-script.ts';
import { APPEND_SCRIPT, CLAIM_SCRIPT, READ_SCRIPT, RELEASE_SCRIPT, type ShardScript } from './shard-scripts.ts';
import { readStatus } from './shard-status.ts';
import { RedisSnapshots, scanStates } from './snapshots.ts';

/** Options of the Redis store: a URL, or a connection that stays the caller's to close. */
export type RedisShardStoreOptions = ({ readonly url: string } | { readonly connection: Redis }) & {
  /** First part of every key, so that several installations can share a server. */
  readonly prefix?: string;
  /** Bytes of encoded chunks that a shard's log may hold. */
  readonly logBytesMax: number;
  /** Offsets that a shard's log may span. */
  readonly logRecordsMax?: number;
  /** A commit of so many bytes of states or more is a transaction, a smaller one a script: see commit-scripts.ts. */
  readonly transactionFromBytes?: number;
  /** Told of a lost connection and of server settings that can lose data. */
  readonly onWarning?: (message: string) => void;
};

/** Fields asked for in one command at most: Redis serves one command at a time, and a long one holds up every shard. */
const LOAD_KEYS_MAX = 5_000;
const SCAN_COUNT = 1_000;
/** Below both of these one script costs less than a transaction's five commands. */
const TRANSACTION_FROM_SERIES = 1_000;
const TRANSACTION_FROM_BYTES = 65_536;

/** The ShardStore of the real stack. Throws RetryableError where no Redis answers, ConfigError where it refuses or cannot serve. */
export async function createRedisShardStore(options: RedisShardStoreOptions): Promise<ShardStore & SnapshotStore> {
  const onWarning = options.onWarning ?? (() => {});
  const own = 'url' in options;
  const address = own ? redisAddress(options.url) : connectionAddress(options.connection);
  const redis = own ? await openRedis(options.url, { name: 'tideline-shards', onWarning }) : options.connection;
  try {
    await withRedisErrors(address, () => checkRedisServer(redis, address, onWarning));
  } catch (error) {
    if (own) redis.disconnect();
    throw error;
  }
  const { prefix = 'tideline', logBytesMax, logRecordsMax = LOG_RECORDS_MAX_DEFAULT } = options;
  const { transactionFromBytes = TRANSACTION_FROM_BYTES } = options;
  const bounds = { logBytesMax, logRecordsMax };
  return new RedisShardStore({ redis, own, address, prefix, bounds, transactionFromBytes });
}

interface Parts {
  readonly redis: Redis;
  readonly own: boolean;
  readonly address: string;
  readonly prefix: string;
  readonly bounds: LogBounds;
  readonly transactionFromBytes: number;
}

class RedisShardStore implements ShardStore, SnapshotStore {
  readonly #parts: Parts;
  readonly #redis: Redis;
  /** Shards that this process has entered in the set of known ones. */
  readonly #listed = new Set<string>();
  readonly #snapshots: RedisSnapshots;
  readonly #gather: () => void;
  readonly #pool = new BufferPool();
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#redis = parts.redis;
    this.#gather = createWriteGatherer(parts.redis);
    defineScripts(parts.redis, [APPEND_SCRIPT, CLAIM_SCRIPT, COMMIT_SCRIPT, READ_SCRIPT, RELEASE_SCRIPT]);
    this.#snapshots = new RedisSnapshots({
      redis: parts.redis,
      keyOf: (shard, part) => this.#key(shard, part),
      list: (shard) => this.#list(shard),
      ask: (work) => this.#ask(work),
    });
  }

  async head(shard: Shard): Promise<number | null> {
    const head = await this.#ask(() => this.#redis.hget(this.#key(shard, 'meta'), 'head'));
    // An unknown shard may be one that the server has lost, with the set that names it: it is entered again.
    if (head === null) this.#listed.delete(shardName(shard));
    return head === null ? null : Number(head);
  }

  async append(
    shard: Shard,
    entry: { readonly from: number; readonly begins: boolean } & LogEntry,
  ): Promise<AppendResult> {
    assertEntry(entry);
    const { from, begins, next, bytes } = entry;
    const { logBytesMax, logRecordsMax } = this.#parts.bounds;
    await this.#list(shard);
    const [status, head, ticket] = await this.#run(APPEND_SCRIPT, shard, [
      from,
      next,
      begins ? '1' : '0',
      asBuffer(bytes),
      logBytesMax,
      logRecordsMax,
      appendsChannel(this.#parts.prefix, ''),
      shardName(shard),
    ]);
    if (status === 'seek' && head === null) this.#listed.delete(shardName(shard));
    if (status === 'seek') return { status, head: numberOrNull(head) };
    if (status === 'full') return { status, head: Number(head) };
    return { status: 'ok', head: Number(head), ticket: numberOrNull(ticket) };
  }

  async claim(shard: Shard, owner: string): Promise<Claim> {
    assertOwner(owner);
    await this.#list(shard);
    const [epoch, position, model] = await this.#run(CLAIM_SCRIPT, shard, [
      owner,
      appendsChannel(this.#parts.prefix, ''),
      shardName(shard),
    ]);
    return { epoch: Number(epoch), position: numberOrNull(position) ?? -1, model: String(model ?? '') };
  }

  async read(shard: Shard, position: number, entriesMax: number, fence?: Fence): Promise<LogEntry[]> {
    const start = `${Math.max(0, position + 1)}-0`;
    const reply = await this.#run(READ_SCRIPT, shard, [start, entriesMax], { asBuffers: true });
    const [epoch, at, entries] = reply as [Buffer | null, Buffer | null, [Buffer, Buffer[]][]];
    const state = { epoch: Number(epoch?.toString() ?? 0), position: Number(at?.toString() ?? -1) };
    if (fence !== undefined) assertFence(shard, state, fence);
    return entries.map(([id, fields]) => ({ next: Number.parseInt(id.toString('latin1'), 10), bytes: fields[3] }));
  }

  async load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]> {
    const parts: (Uint8Array | null)[][] = [];
    for (let at = 0; at < keys.length; at += LOAD_KEYS_MAX)
      parts.push(await this.#ask(() => this.#load(shard, keys.slice(at, at + LOAD_KEYS_MAX), fence)));
    return parts.flat();
  }

  async commit(commit: Commit): Promise<void> {
    assertCommit(commit);
    const { shard, epoch, from, position, model } = commit;
    const args = [epoch, from, position, position + 1, model];
    const [outcome, current] = isLarge(commit, this.#parts.transactionFromBytes)
      ? await this.#commitLarge(commit, args)
      : await this.#run(COMMIT_SCRIPT, shard, [...args, ...stateArguments(commit)]);
    if (outcome === 'epoch') throw staleEpoch(shard, epoch, Number(current ?? 0));
    if (outcome === 'position') throw stalePosition(shard, from, numberOrNull(current) ?? -1);
  }

  #commitLarge(commit: Commit, args: readonly (string | number)[]): Promise<readonly unknown[]> {
    const key = (part: string): string => this.#key(commit.shard, part);
    return this.#ask(() => {
      this.#gather();
      const keys = [key('meta'), key('log'), key('state'), key('parked')] as const;
      return commitInTransaction(this.#redis, keys, args, { ...commit, pool: this.#pool });
    });
  }

  async release(
    shard: Shard,
    options: { readonly epoch: number; readonly keep: boolean },
  ): Promise<{ readonly drained: boolean; readonly ticket: number | null }> {
    const [outcome, value] = await this.#run(RELEASE_SCRIPT, shard, [options.epoch, options.keep ? '1' : '0']);
    if (outcome === 'epoch') throw staleEpoch(shard, options.epoch, Number(value ?? 0));
    const ticket = numberOrNull(value);
    return { drained: ticket === null, ticket };
  }

  async status(): Promise<ShardStatus[]> {
    const names = await this.#ask(() => this.#redis.smembers(this.#shardsKey()));
    const { prefix } = this.#parts;
    return this.#ask(() => readStatus(this.#redis, names, (name, part) => `${prefix}:{${name}}:${part}`));
  }

  states(shard: Shard): AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }> {
    const key = this.#key(shard, 'state');
    return scanStates((cursor) => this.#ask(() => this.#redis.hscanBuffer(key, cursor, 'COUNT', SCAN_COUNT)));
  }

  snapshot(shard: Shard, keys: readonly string[]): Promise<ShardSnapshot | null> {
    return this.#snapshots.snapshot(shard, keys);
  }

  capture(shard: Shard): Promise<(ShardImage & AsyncDisposable) | null> {
    return this.#snapshots.capture(shard);
  }

  install(image: ShardImage, options: { readonly force: boolean }): Promise<boolean> {
    // An unknown shard may be one that the server has lost, with the set that names it.
    this.#listed.delete(shardName(image.shard));
    return this.#snapshots.install(image, options);
  }

  touch(shard: Shard): Promise<void> {
    return this.#snapshots.touch(shard);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed || !this.#parts.own) return;
    this.#closed = true;
    // QUIT waits for the replies under way; where the server is gone there is nothing to wait for.
    await this.#redis.quit().catch(() => this.#redis.disconnect());
  }

  #key(shard: Shard, part: string): string {
    return `${this.#parts.prefix}:{${shardName(shard)}}:${part}`;
  }

  #shardsKey(): string {
    return `${this.#parts.prefix}:shards`;
  }

  /** Enters the shard in the set of known ones before it exists, so that no crash hides it. The set lies elsewhere in a cluster: no script can hold both. */
  async #list(shard: Shard): Promise<void> {
    const name = shardName(shard);
    if (this.#listed.has(name)) return;
    await this.#ask(() => this.#redis.sadd(this.#shardsKey(), name));
    this.#listed.add(name);
  }

  /** States together with what the fence asks for, in one transaction. */
  async #load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]> {
    const states = this.#key(shard, 'state');
    if (fence === undefined) return this.#redis.hmgetBuffer(states, ...keys);
    const transaction = this.#redis.multi().hmget(this.#key(shard, 'meta'), 'epoch', 'position');
    const replies = (await transaction.hmgetBuffer(states, ...keys).exec()) ?? [];
    for (const [error] of replies) if (error) throw error;
    const [epoch, position] = replies[0][1] as (string | null)[];
    assertFence(shard, { epoch: Number(epoch ?? 0), position: numberOrNull(position) ?? -1 }, fence);
    return replies[1][1] as (Uint8Array | null)[];
  }

  #run(
    script: ShardScript,
    shard: Shard,
    args: readonly ScriptArgument[],
    options: { readonly asBuffers?: boolean } = {},
  ): Promise<readonly unknown[]> {
    const keys = [this.#key(shard, 'meta'), this.#key(shard, 'log'), this.#key(shard, 'state')];
    return this.#ask(() => {
      this.#gather();
      return runShardScript(this.#redis, script, keys.slice(0, script.numberOfKeys), args, options);
    });
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    return withRedisErrors(this.#parts.address, work);
  }
}

function isLarge({ states, removed }: Commit, fromBytes: number): boolean {
  if (states.length + removed.length >= TRANSACTION_FROM_SERIES) return true;
  let bytes = 0;
  for (const state of states) bytes += state.length;
  return bytes >= fromBytes;
}

function stateArguments({ keys, states, removed }: Commit): ScriptArgument[] {
  const args: ScriptArgument[] = [keys.length, removed.length];
  for (let index = 0; index < keys.length; index += 1) args.push(keys[index], asBuffer(states[index]));
  for (const key of removed) args.push(key);
  return args;
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
