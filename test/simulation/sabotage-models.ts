/** Injected bugs of a change of the model. */
import type { NamedSabotage } from './sabotage.ts';
import { replace } from './sabotage.ts';
import type { SimStore } from './sim-redis.ts';

/** Enough checkpoints for a roll-out to begin while records come. */
const settings = { checkpointIntervalMs: 100, checkpointBytesPerSecond: 20_000, forecasters: 2 };

export const MODEL_SABOTAGES: readonly NamedSabotage[] = [
  {
    name: 'forecasters that take shards of another model',
    faults: [],
    settings,
    create: () => ({ adoptsForeign: true }),
  },
  {
    name: 'a change of the model that a loss undoes',
    faults: ['redis-erased'],
    settings,
    create: () => ({ hasVolatileChange: true }),
  },
  {
    name: 'states of the old model used by the new one',
    faults: [],
    settings,
    create: () => ({ operatorStore: keepStates }),
  },
  {
    name: 'a new model that begins at another position than the one decided',
    faults: ['crash-operator'],
    settings,
    create: () => ({ operatorStore: beginLater }),
  },
];

/** The states stay, under the new model's digest. */
function keepStates(store: SimStore): SimStore {
  return replace(store, {
    async install(image, options) {
      const digest = Buffer.from(image.model.slice(0, 16), 'hex');
      async function* states(): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
        for await (const { key, bytes } of store.states(image.shard)) {
          const renamed = bytes.slice();
          renamed.set(digest, 8);
          yield { key, bytes: renamed };
        }
      }
      return store.install({ ...image, states: states() }, options);
    },
  });
}

/** Between the decision and the store one more record went by. */
function beginLater(store: SimStore): SimStore {
  return replace(store, {
    async install(image, options) {
      const head = await store.head(image.shard);
      const position = head !== null && head > image.position ? image.position + 1 : image.position;
      return store.install({ ...image, position }, options);
    },
  });
}
