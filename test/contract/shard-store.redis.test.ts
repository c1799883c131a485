import { createRedisShardStore } from '@tideline/adapters';
import { shardStoreContract } from './shard-store.ts';

// The test stack names the server; without one this file fails rather than skips.
const url = process.env.TIDELINE_TEST_REDIS ?? '';

shardStoreContract({
  name: 'redis shard store',
  durable: true,
  open: (place, bounds) => createRedisShardStore({ url, prefix: `test:${place}`, ...bounds }),
});

shardStoreContract({
  name: 'redis shard store, every commit a transaction',
  durable: true,
  open: (place, bounds) => createRedisShardStore({ url, prefix: `test:${place}`, transactionFromBytes: 0, ...bounds }),
});
