import { createMemoryShardStore } from '@tideline/adapters';
import { shardStoreContract } from './shard-store.ts';

shardStoreContract({
  name: 'memory shard store',
  durable: false,
  open: async (_place, bounds) => createMemoryShardStore(bounds),
});
