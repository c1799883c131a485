/**
 * Looking at a shard in one moment, and filling it from outside. Beside the keys of `shard-scripts.ts`, with the same hash tag:
 * - `<prefix>:{<shard>}:copy-<random>`, hash: a copy of the states that somebody reads, or the states of an image before they are the shard's.
 *   It expires, should its maker end before it takes it away.
 * - meta has `revision`, a random text that `touch` and `install` replace.
 */
import { randomUUID } from 'node:crypto';
import type { Shard, ShardImage, ShardSnapshot, SnapshotStore } from '@tideline/pipeline';
import { shardName } from '@tideline/pipeline';
import type { Redis } from 'ioredis';
import { defineScripts, runShardScript } from './run-script.ts';
import type { ShardScript } from './shard-scripts.ts';

const COPY_EXPIRES_S = 3_600;
const FIELDS_A_COMMAND_MAX = 5_000;
const INSTALL_STATES_A_COMMAND = 1_000;
const SCAN_COUNT = 1_000;
const META = ['head', 'epoch', 'position', 'model', 'revision'] as const;

/** KEYS meta log state staged; ARGV position, model, epoch, revision, force ('1'/'0'), staged ('1'/'0'). Returns {'ok'} | {'exists'}. */
const INSTALL_SCRIPT: ShardScript = {
  name: 'tidelineInstall',
  numberOfKeys: 4,
  lua: `
local meta = redis.call('HMGET', KEYS[1], 'head', 'epoch')
if meta[1] and ARGV[5] ~= '1' then return {'exists'} end
-- The staged states may have expired under a maker that stood still.
if ARGV[6] == '1' and redis.call('EXISTS', KEYS[4]) == 0 then return {'expired'} end
redis.call('DEL', KEYS[2], KEYS[3])
if ARGV[6] == '1' then
  redis.call('RENAME', KEYS[4], KEYS[3])
  redis.call('PERSIST', KEYS[3])
end
local epoch = math.max(tonumber(meta[2] or '0'), tonumber(ARGV[3])) + 1
-- The number of the newest ticket stays: one that was announced before would be taken for a repeat.
redis.call('HSET', KEYS[1], 'position', ARGV[1], 'head', ARGV[1], 'from', '-1', 'model', ARGV[2], 'epoch', string.format('%.0f', epoch),
  'owner', '', 'outstanding', '0', 'logBytes', '0', 'revision', ARGV[4])
return {'ok'}
`,
};

interface Parts {
  readonly redis: Redis;
  readonly keyOf: (shard: Shard, part: string) => string;
  /** Enters the shard in the set of known ones. */
  readonly list: (shard: Shard) => Promise<void>;
  /** Runs a command with errors translated. */
  readonly ask: <T>(work: () => Promise<T>) => Promise<T>;
}

export class RedisSnapshots implements SnapshotStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    defineScripts(parts.redis, [INSTALL_SCRIPT]);
  }

  async snapshot(shard: Shard, keys: readonly string[]): Promise<ShardSnapshot | null> {
    const { redis, keyOf, ask } = this.#parts;
    const transaction = redis
      .multi()
      .info('server')
      .hmget(keyOf(shard, 'meta'), ...META);
    for (let at = 0; at < keys.length; at += FIELDS_A_COMMAND_MAX)
      transaction.hmgetBuffer(keyOf(shard, 'state'), ...keys.slice(at, at + FIELDS_A_COMMAND_MAX));
    const [server, meta, ...states] = repliesOf(await ask(() => transaction.exec()));
    const [head, epoch, position, model, revision] = meta as (string | null)[];
    if (head === null) return null;
    return {
      epoch: Number(epoch ?? 0),
      position: Number(position ?? -1),
      model: model ?? '',
      revision: `${revision ?? ''}@${/^run_id:(\w+)/m.exec(String(server))?.[1] ?? ''}`,
      states: (states as (Buffer | null)[][]).flat(),
    };
  }

  async capture(shard: Shard): Promise<(ShardImage & AsyncDisposable) | null> {
    const { redis, keyOf, ask } = this.#parts;
    const copy = keyOf(shard, `copy-${randomUUID()}`);
    // Server-side and at once: the owner waits some milliseconds for 10,000 states.
    const transaction = redis.multi().hmget(keyOf(shard, 'meta'), ...META);
    transaction.copy(keyOf(shard, 'state'), copy).expire(copy, COPY_EXPIRES_S);
    const [meta] = repliesOf(await ask(() => transaction.exec()));
    const [head, epoch, position, model] = meta as (string | null)[];
    const drop = async (): Promise<void> => {
      await ask(() => redis.unlink(copy)).catch(() => undefined);
    };
    if (head === null) {
      await drop();
      return null;
    }
    return {
      shard,
      position: Number(position ?? -1),
      epoch: Number(epoch ?? 0),
      model: model ?? '',
      states: scanStates((cursor) => ask(() => redis.hscanBuffer(copy, cursor, 'COUNT', SCAN_COUNT))),
      [Symbol.asyncDispose]: drop,
    };
  }

  async install(image: ShardImage, options: { readonly force: boolean }): Promise<boolean> {
    const { redis, keyOf, list, ask } = this.#parts;
    const { shard, position, model, epoch } = image;
    const staged = keyOf(shard, `copy-${randomUUID()}`);
    let part: (string | Buffer)[] = [];
    let count = 0;
    const flush = async (): Promise<void> => {
      const fields = part;
      part = [];
      if (fields.length > 0)
        await ask(() =>
          redis
            .multi()
            .hset(staged, ...fields)
            .expire(staged, COPY_EXPIRES_S)
            .exec()
            .then(repliesOf),
        );
    };
    for await (const { key, bytes } of image.states) {
      part.push(key, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      count += 1;
      if (count % INSTALL_STATES_A_COMMAND === 0) await flush();
    }
    await flush();
    await list(shard);
    const keys = [...['meta', 'log', 'state'].map((name) => keyOf(shard, name)), staged];
    const args = [position, model, epoch, randomUUID(), options.force ? '1' : '0', count > 0 ? '1' : '0'];
    const [outcome] = await ask(() => runShardScript(redis, INSTALL_SCRIPT, keys, args));
    if (outcome === 'ok') return true;
    await ask(() => redis.unlink(staged));
    if (outcome === 'exists') return false;
    throw new Error(`The states of ${shardName(shard)} took longer than ${COPY_EXPIRES_S} s to arrive.`);
  }

  async touch(shard: Shard): Promise<void> {
    const { redis, keyOf, ask } = this.#parts;
    await ask(() => redis.hset(keyOf(shard, 'meta'), 'revision', randomUUID()));
  }
}

/** States of a hash, each once, by a scan. */
export async function* scanStates(
  scan: (cursor: string) => Promise<readonly [Buffer, Buffer[]]>,
): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
  // A scan may name a key twice while the hash grows. Bounded by the shard's series.
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, fields] = await scan(cursor);
    cursor = next.toString();
    for (let at = 0; at < fields.length; at += 2) {
      const key = fields[at].toString();
      if (seen.has(key)) continue;
      seen.add(key);
      yield { key, bytes: fields[at + 1] };
    }
  } while (cursor !== '0');
}

/** Replies of a transaction; throws the first error among them. */
function repliesOf(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
