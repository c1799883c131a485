/** A process that appends and commits one record after another until it is killed, and prints each position when its commit has resolved. */
import { writeSync } from 'node:fs';
import { createLmdbShardStore } from '@tideline/adapters';

const folder = process.argv[2];
const shard = { topic: 'writer', partition: 0 };
const store = createLmdbShardStore({ folder, logBytesMax: 10_000 });
const { epoch } = await store.claim(shard, 'writer');
for (let from = (await store.head(shard)) ?? 0; ; from += 1) {
  const next = from + 1;
  await store.append(shard, { from, begins: from === 0, next, bytes: new Uint8Array(100).fill(from) });
  const keys = [`k${from}`, 'newest'];
  const states = [new Uint8Array(64).fill(from), new Uint8Array(new Uint32Array([next]).buffer)];
  await store.commit({ shard, epoch, from, position: next, model: 'm', keys, states, removed: [] });
  writeSync(1, `${next}\n`);
}
