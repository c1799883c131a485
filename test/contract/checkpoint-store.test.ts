import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createLmdbShardStore, createMemoryShardStore, createRedisShardStore } from '@tideline/adapters';
import { stackAddresses } from '../stack/index.ts';
import { snapshotStoreContract } from './checkpoint-store.ts';

const BOUNDS = { logBytesMax: 1_000 };
const FOLDER = mkdtempSync(join(tmpdir(), 'tideline-snapshots-'));
after(() => rm(FOLDER, { recursive: true, force: true }));

snapshotStoreContract({ name: 'memory snapshots', open: async () => createMemoryShardStore(BOUNDS) });
snapshotStoreContract({
  name: 'lmdb snapshots',
  open: async () => createLmdbShardStore({ folder: join(FOLDER, randomUUID()), ...BOUNDS }),
});
snapshotStoreContract({
  name: 'redis snapshots',
  open: () => createRedisShardStore({ url: stackAddresses().redis, prefix: `test:${randomUUID()}`, ...BOUNDS }),
});
