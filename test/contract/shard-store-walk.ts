/** A random walk over a ShardStore beside the memory store: every answer and every refusal must be the same. `SEED=n` replays one. */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { createMemoryShardStore } from '@tideline/adapters';
import { type Fence, type Shard, type ShardStore, TidelineError } from '@tideline/pipeline';
import type { ShardStoreSubject } from './shard-store.ts';

const BOUNDS = { logBytesMax: 400, logRecordsMax: 60 } as const;
const OPENS_AGAIN_EVERY = 500;

type Draw = (below: number) => number;
type Operation = (store: ShardStore) => Promise<unknown>;

export async function agreesWithModel(subject: ShardStoreSubject, operations: number): Promise<void> {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const draw = mulberry32(seed);
  const place = randomUUID();
  const shards = [0, 1, 2].map((partition): Shard => ({ topic: `walk.${place}`, partition }));
  const model = createMemoryShardStore(BOUNDS);
  let store = await subject.open(place, BOUNDS);
  try {
    for (let at = 0; at < operations; at += 1) {
      const shard = shards[draw(shards.length)];
      const { name, run } = await drawOperation(draw, shard, model);
      const where = `Operation ${at} (${name}) with SEED=${seed}`;
      assert.deepEqual(await outcome(run, store), await outcome(run, model), where);
      if (at % 25 === 0) assert.deepEqual(await picture(store, shards), await picture(model, shards), where);
      if (subject.durable && at % OPENS_AGAIN_EVERY === OPENS_AGAIN_EVERY - 1) {
        await store[Symbol.asyncDispose]();
        store = await subject.open(place, BOUNDS);
      }
    }
    assert.deepEqual(await picture(store, shards), await picture(model, shards), `The end with SEED=${seed}`);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

/** Draws mostly operations that succeed, so that the walk goes somewhere, and one in five around their edges. */
async function drawOperation(draw: Draw, shard: Shard, model: ShardStore): Promise<{ name: string; run: Operation }> {
  const status = (await model.status()).find(({ shard: { partition } }) => partition === shard.partition);
  const { head, position, epoch } = status ?? { head: -1, position: -1, epoch: 0 };
  const wobble = (): number => (draw(5) === 0 ? draw(7) - 3 : 0);
  const kind = draw(12);
  if (kind < 4) {
    const from = Math.max(0, (head === -1 ? draw(3) : head) + wobble());
    const next = from + 1 + draw(12);
    const begins = draw(3) === 0;
    const bytes = Uint8Array.from({ length: draw(60) }, () => draw(256));
    const name = `append ${from}..${next} begins=${begins} ${bytes.length} bytes`;
    return { name, run: (store) => store.append(shard, { from, begins, next, bytes }) };
  }
  if (kind < 7) {
    const from = Math.max(0, position + wobble());
    const to = Math.max(from, draw(4) === 0 ? from + draw(9) : head + wobble());
    const keys = drawKeys(draw);
    const removed = drawKeys(draw).filter((key) => !keys.includes(key));
    const states = keys.map(() => Uint8Array.from({ length: draw(20) }, () => draw(256)));
    const held = epoch + (draw(6) === 0 ? draw(3) - 1 : 0);
    const commit = { shard, epoch: held, from, position: to, model: `m${draw(3)}`, keys, states, removed };
    const repeated = draw(10) === 0;
    return {
      name: `commit ${from}..${to} epoch ${held}${repeated ? ' twice' : ''}`,
      run: async (store) => {
        await store.commit(commit);
        if (repeated) await store.commit(commit);
      },
    };
  }
  if (kind === 7) {
    const owner = `owner-${draw(3)}`;
    return { name: `claim ${owner}`, run: (store) => store.claim(shard, owner) };
  }
  if (kind === 8) {
    const options = { epoch: epoch + wobble(), keep: draw(2) === 0 };
    return { name: `release ${JSON.stringify(options)}`, run: (store) => store.release(shard, options) };
  }
  if (kind === 9) {
    const entriesMax = 1 + draw(5);
    const above = position + wobble();
    const fence = drawFence(draw, epoch, position);
    return {
      name: `read ${above} ${JSON.stringify(fence)}`,
      run: async (store) => plainEntries(await store.read(shard, above, entriesMax, fence)),
    };
  }
  if (kind === 10) return { name: 'head', run: (store) => store.head(shard) };
  const keys = drawKeys(draw);
  const fence = drawFence(draw, epoch, position);
  return {
    name: `load ${JSON.stringify(fence)}`,
    run: async (store) => (await store.load(shard, keys, fence)).map((bytes) => bytes && [...bytes]),
  };
}

/** None, one that holds, or one beside it. */
function drawFence(draw: Draw, epoch: number, position: number): Fence | undefined {
  if (draw(2) === 0) return undefined;
  const wobble = (): number => (draw(3) === 0 ? draw(3) - 1 : 0);
  return { epoch: epoch + wobble(), positions: [position + wobble(), position + wobble()] };
}

function drawKeys(draw: Draw): string[] {
  return [...new Set(Array.from({ length: draw(6) }, () => `key-${draw(12)}`))];
}

/** Value, or the error's code: stores word their errors alike but need not to the letter. */
async function outcome(run: Operation, store: ShardStore): Promise<unknown> {
  try {
    return { value: await run(store) };
  } catch (error) {
    if (error instanceof TidelineError) return { code: error.code };
    throw error;
  }
}

async function picture(store: ShardStore, shards: readonly Shard[]): Promise<unknown> {
  const status = (await store.status()).sort((a, b) => a.shard.partition - b.shard.partition);
  const rest = [];
  for (const shard of shards) {
    const states: [string, number[]][] = [];
    for await (const { key, bytes } of store.states(shard)) states.push([key, [...bytes]]);
    states.sort(([a], [b]) => (a < b ? -1 : 1));
    rest.push({ states, log: plainEntries(await store.read(shard, -1, 1_000)) });
  }
  return { status, rest };
}

function plainEntries(entries: readonly { readonly next: number; readonly bytes: Uint8Array }[]): unknown[] {
  return entries.map(({ next, bytes }) => [next, [...bytes]]);
}

/** Small seeded generator (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
