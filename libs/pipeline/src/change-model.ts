/**
 * Gives a shard to another model. The states of one model mean nothing to another, so the new one's series begin anew, all at one position: every record
 * below it belongs to the model of before, every other one to the new. That position is decided once and kept beyond the store: a change of the model is a
 * checkpoint without states, and whatever happens to the store afterwards, it comes back to that checkpoint or a later one.
 *
 *   Step 1. Begin a writer of checkpoints: nothing that another began before becomes visible from here on.
 *   Step 2. Take the shard from its owner: its position stands still, and everything below it is in the sink.
 *   Step 3. Write the checkpoint. From its commit on the change is decided; before it nothing has happened.
 *   Step 4. Put it in the shard's place. Ingest does the same where this was cut short, and after a loss.
 * Between 3 and 4 an owner of the old model may go on: its points are right, under its own name. Safe to be ended at any line and to be repeated.
 */
import type { CheckpointLog, CheckpointMarker, SnapshotStore } from './checkpoint-ports.ts';
import { statesOf } from './checkpointed-store.ts';
import type { ShardStore } from './ports.ts';
import { type Shard, shardName } from './record.ts';

export interface ModelChange {
  readonly shard: Shard;
  readonly store: ShardStore & SnapshotStore;
  /** Null where none is kept: then a store that is lost or rolled back forgets the change. */
  readonly log: CheckpointLog | null;
  /** Digest of the new model. */
  readonly model: string;
  /** Who takes the shard: a name that no forecaster has. */
  readonly owner: string;
  readonly wallMs: () => number;
}

export type ModelChangeResult =
  /** Records from `position` on are the new model's. */
  | { readonly status: 'changed'; readonly position: number; readonly from: string }
  /** The shard has the model already. */
  | { readonly status: 'unchanged' }
  /** Nothing was stepped yet: whoever serves the shard first gives it its model. */
  | { readonly status: 'unknown' };

/** Throws StaleEpochError where another writer of checkpoints began meanwhile, RetryableError where a server does not answer: it is repeated then. */
export async function changeModel(change: ModelChange): Promise<ModelChangeResult> {
  const { shard, store, log, model } = change;
  const found = await store.snapshot(shard, []);
  // Step 1.
  const writer = log === null ? null : await log.begin(shard);
  try {
    const newest = (await log?.read([shard], { takeOver: false, settled: true }))?.get(shardName(shard));
    const from = found?.model || newest?.marker.model || '';
    if (from === '') return { status: 'unknown' };
    const decided = newest?.marker.model === model ? newest : null;
    if (found?.model === model && (decided !== null || newest === undefined)) return { status: 'unchanged' };
    if (decided !== null)
      return { status: 'changed', from, position: await follow(change, decided.marker, decided.states) };
    // Steps 2 and 3. A store that was rolled back behind its checkpoint: what lies between is in the sink.
    const { position: stands, epoch } = await store.claim(shard, change.owner);
    const position = Math.max(stands, newest?.marker.position ?? -1);
    const marker: CheckpointMarker = { shard, position, epoch, model, atMs: change.wallMs() };
    await writer?.write([...(newest?.states.keys() ?? [])].map((key) => ({ key, bytes: null })));
    await writer?.commit(marker);
    return { status: 'changed', from, position: await follow(change, marker, new Map()) };
  } finally {
    await writer?.close();
  }
}

/** Step 4. */
async function follow(
  { store }: ModelChange,
  marker: CheckpointMarker,
  states: ReadonlyMap<string, Uint8Array>,
): Promise<number> {
  await store.install({ ...marker, states: statesOf(states) }, { force: true });
  return marker.position;
}
