import type { BufferPool } from '@tideline/pipeline';
import { Command, type Redis } from 'ioredis';
import { BEGIN_COMMIT_LUA, END_COMMIT_LUA } from './commit-scripts.ts';

/** Fields of one command at most: Redis takes a million arguments, ours stay far below. */
const FIELDS_A_COMMAND_MAX = 50_000;
/** Bytes of a length in decimal digits, with its dollar sign and line end. */
const LENGTH_BYTES_MAX = 16;
/** UTF-8 bytes of a UTF-16 unit at most. */
const BYTES_A_UNIT_MAX = 3;
const [CARRIAGE_RETURN, LINE_FEED] = [13, 10];

/** What a commit changes in the hash of states. */
export interface StateChanges {
  readonly keys: readonly string[];
  readonly states: readonly Uint8Array[];
  readonly removed: readonly string[];
}

/**
 * HSET of many states, written as Redis's protocol in one piece: the client's own way takes a string, a copy and a list entry for each of them, which is more
 * than the copying of a state.
 */
class SetStates extends Command {
  readonly #packed: Buffer;

  constructor(hash: string, packed: Buffer) {
    // What `args` holds is for the client's routing and traces; what is sent is below.
    super('hset', [hash], { replyEncoding: 'utf8' });
    this.#packed = packed;
  }

  override toWritable(): Buffer {
    return this.#packed;
  }
}

/** Source: Redis serialization protocol, "RESP arrays of bulk strings". The buffer is the pool's. */
export function packStates(
  hash: string,
  keys: readonly string[],
  states: readonly Uint8Array[],
  pool: BufferPool,
): Buffer {
  let size = hash.length * BYTES_A_UNIT_MAX + 6 * LENGTH_BYTES_MAX;
  for (let i = 0; i < keys.length; i += 1)
    size += keys[i].length * BYTES_A_UNIT_MAX + states[i].length + 2 * LENGTH_BYTES_MAX + 4;
  const packed = Buffer.from(pool.take(size));
  let at = packed.write(`*${2 + 2 * keys.length}\r\n$4\r\nHSET\r\n$${Buffer.byteLength(hash)}\r\n${hash}\r\n`);
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i];
    const state = states[i];
    at += packed.write(`$${Buffer.byteLength(key)}\r\n${key}\r\n$${state.length}\r\n`, at);
    packed.set(state, at);
    at += state.length;
    packed[at] = CARRIAGE_RETURN;
    packed[at + 1] = LINE_FEED;
    at += 2;
  }
  return packed.subarray(0, at);
}

/**
 * Commits in one transaction. `keys` are those of the scripts (meta, log, state, parked), `args` theirs (epoch, from, position, position + 1, model).
 * Returns their answer. The texts of the scripts go along: a server that had forgotten a digest would run what stands between them unguarded.
 */
export async function commitInTransaction(
  redis: Redis,
  keys: readonly [meta: string, log: string, state: string, parked: string],
  args: readonly (string | number)[],
  changes: StateChanges & { readonly pool: BufferPool },
): Promise<readonly unknown[]> {
  const { keys: series, states, removed, pool } = changes;
  const hash = keys[2];
  const command = (name: string, values: readonly (string | number)[]): Command =>
    new Command(name, [...values], { replyEncoding: 'utf8' });
  const commands = [command('multi', []), command('eval', [BEGIN_COMMIT_LUA, keys.length, ...keys, ...args])];
  const used: Buffer[] = [];
  for (let at = 0; at < series.length; at += FIELDS_A_COMMAND_MAX) {
    const end = at + FIELDS_A_COMMAND_MAX;
    const packed = packStates(hash, series.slice(at, end), states.slice(at, end), pool);
    used.push(packed);
    commands.push(new SetStates(hash, packed));
  }
  for (let at = 0; at < removed.length; at += FIELDS_A_COMMAND_MAX)
    commands.push(command('hdel', [hash, ...removed.slice(at, at + FIELDS_A_COMMAND_MAX)]));
  commands.push(command('eval', [END_COMMIT_LUA, keys.length, ...keys, ...args]), command('exec', []));
  const replies = await send(redis, commands);
  // Only now nobody reads them: a command that timed out may still be on its way, and one whose connection broke is sent again.
  for (const { buffer } of used) pool.give(buffer as ArrayBuffer);
  for (const reply of replies) if (reply instanceof Error) throw reply;
  return replies[replies.length - 1] as readonly unknown[];
}

/**
 * Sends a transaction and resolves with the replies of what it ran. The client's own pipeline would copy it whole once more. The marks are the pipeline's: by
 * them the client gives up what is left of a transaction whose connection broke in the middle, instead of sending it without its beginning.
 */
async function send(redis: Redis, commands: readonly Command[]): Promise<readonly unknown[]> {
  const replies = commands.map((command, index) => {
    command.pipelineIndex = index;
    command.inTransaction = true;
    return redis.sendCommand(command) as Promise<unknown>;
  });
  const settled = await Promise.allSettled(replies);
  // The first one says why: what follows only says that the transaction was given up.
  for (const reply of settled) if (reply.status === 'rejected') throw reply.reason;
  const last = settled[settled.length - 1];
  return (last.status === 'fulfilled' ? last.value : []) as readonly unknown[];
}
