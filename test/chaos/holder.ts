/** Which forecaster holds a shard with work under way: what a failover has to be measured on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ShardStatus, type ShardStore, shardName } from '@tideline/pipeline';
import type { RunningService } from '../e2e/services.ts';

export interface HolderSearch {
  readonly store: Pick<ShardStore, 'status'>;
  /** Ids of the jobs that workers have in hand. */
  readonly activeTickets: () => Promise<readonly string[]>;
  readonly forecasters: readonly RunningService[];
}

/** Stopped, and holding: it commits nothing while the others would have had the time to. */
export interface Holder {
  readonly service: RunningService;
  readonly partitions: readonly number[];
  /** When it was stopped (performance.now). */
  readonly atMs: number;
}

/** Other forecasters would have claimed, or this one's last command would have come through, within that. */
const SETTLE_MS = 40;
const DEADLINE_MS = 60_000;

/**
 * Stops (SIGSTOP) a forecaster at a moment at which it owns a shard, has the shard's ticket in hand and records of it still to do. Looks, stops, and
 * looks again after SETTLE_MS; one that held nothing goes on and the search with it.
 */
export async function stopHolder(search: HolderSearch): Promise<Holder> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const busy = (await held(search))[0];
    const service = busy && search.forecasters.find(({ pid }) => pid === pidOf(busy.owner));
    if (!service) continue;
    process.kill(service.pid, 'SIGSTOP');
    const atMs = performance.now();
    const before = await heldBy(search, service);
    await sleep(SETTLE_MS);
    const still = (await heldBy(search, service)).filter(({ shard, position }) =>
      before.some((one) => one.shard.partition === shard.partition && one.position === position),
    );
    if (still.length > 0) return { service, atMs, partitions: still.map(({ shard }) => shard.partition) };
    process.kill(service.pid, 'SIGCONT');
  }
  throw new Error(`No forecaster held a shard with work under way within ${DEADLINE_MS} ms: is the stream flowing?`);
}

async function heldBy(search: HolderSearch, { pid }: RunningService): Promise<ShardStatus[]> {
  return (await held(search)).filter(({ owner }) => pidOf(owner) === pid);
}

async function held({ store, activeTickets }: HolderSearch): Promise<ShardStatus[]> {
  const [shards, active] = await Promise.all([store.status(), activeTickets()]);
  return shards.filter(
    ({ shard, ticket, position, head }) => position < head && active.includes(`${shardName(shard)}-${ticket}`),
  );
}

/** A forecaster's name is `<host>-<pid>-<random>`. */
function pidOf(owner: string): number {
  return Number(owner.split('-').at(-2));
}
