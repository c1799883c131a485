import { SHARD_CLOCK_KEY, type Shard, type ShardStatus } from '@tideline/pipeline';
import type { Redis } from 'ioredis';

const FIELDS = ['epoch', 'owner', 'position', 'head', 'logBytes', 'ticket', 'outstanding'] as const;

/** Status of the named shards; one that is listed but has no state yet is left out. */
export async function readStatus(
  redis: Redis,
  names: readonly string[],
  keyOf: (name: string, part: 'meta' | 'state') => string,
): Promise<ShardStatus[]> {
  const replies = await Promise.all(
    names.map((name) =>
      Promise.all([
        redis.hmget(keyOf(name, 'meta'), ...FIELDS),
        redis.hlen(keyOf(name, 'state')),
        // The watermark stands among the states and is no series.
        redis.hexists(keyOf(name, 'state'), SHARD_CLOCK_KEY),
      ] as const),
    ),
  );
  return replies.flatMap(([fields, states, clocks], index) => {
    const [epoch, owner, position, head, logBytes, ticket, outstanding] = fields;
    if (epoch === null && head === null) return [];
    return [
      {
        shard: shardOf(names[index]),
        epoch: Number(epoch ?? 0),
        owner: owner ?? '',
        position: Number(position ?? -1),
        head: Number(head ?? -1),
        logBytes: Number(logBytes ?? 0),
        series: states - clocks,
        ticket: outstanding === '1' ? Number(ticket) : null,
      },
    ];
  });
}

/** Inverse of `shardName`; a topic may hold hyphens. */
function shardOf(name: string): Shard {
  const at = name.lastIndexOf('-');
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) };
}
