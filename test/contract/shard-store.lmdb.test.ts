import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createLmdbShardStore } from '@tideline/adapters';
import { shardStoreContract } from './shard-store.ts';

const root = mkdtempSync(join(tmpdir(), 'tideline-lmdb-'));
after(() => rmSync(root, { recursive: true, force: true }));

shardStoreContract({
  name: 'lmdb shard store',
  durable: true,
  open: async (place, bounds) => createLmdbShardStore({ folder: join(root, place), ...bounds }),
});
