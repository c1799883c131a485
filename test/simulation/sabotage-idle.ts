/** Injected bugs of series that fall silent. */
import { type Commit, SHARD_CLOCK_KEY, type ShardStore } from '@tideline/pipeline';
import type { NamedSabotage } from './sabotage.ts';
import { replace } from './sabotage.ts';

export const IDLE_SABOTAGES: readonly NamedSabotage[] = [
  {
    name: 'an owner that does not read the watermark of the one before',
    faults: ['stop-forecaster'],
    settings: { forecasters: 2 },
    create: () => ({ store: forgetClock }),
  },
  {
    name: 'states of series that are removed although they are not silent',
    faults: [],
    create: () => ({ store: removeEarly() }),
  },
  {
    name: 'a watermark that is committed apart from its position',
    faults: ['crash-forecaster'],
    create: () => ({ store: commitClockEarly }),
  },
];

function forgetClock(store: ShardStore): ShardStore {
  return replace(store, {
    async load(shard, keys, fence) {
      const states = await store.load(shard, keys, fence);
      return states.map((bytes, i) => (keys[i] === SHARD_CLOCK_KEY ? null : bytes));
    },
  });
}

/** With the batch's own sweep a series of the batch before goes, too. */
function removeEarly(): (store: ShardStore) => ShardStore {
  return (store) => {
    let before: Commit | null = null;
    return replace(store, {
      async commit(commit) {
        const last = before?.shard.partition === commit.shard.partition ? before.keys[0] : undefined;
        before = commit;
        const isMore = commit.removed.length > 0 && last !== undefined && !commit.keys.includes(last);
        return store.commit(isMore ? { ...commit, removed: [...commit.removed, last] } : commit);
      },
    });
  };
}

/** The watermark first, the rest in a second commit: a crash between the two leaves one without the other. */
function commitClockEarly(store: ShardStore): ShardStore {
  return replace(store, {
    async commit(commit) {
      const at = commit.keys.indexOf(SHARD_CLOCK_KEY);
      if (at !== -1) {
        const [keys, states] = [[SHARD_CLOCK_KEY], [commit.states[at]]];
        await store.commit({ ...commit, position: commit.from, keys, states, removed: [] });
      }
      return store.commit(commit);
    },
  });
}
