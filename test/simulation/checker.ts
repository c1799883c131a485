/**
 * Watches the simulated servers from the outside and says what is wrong, at the moment that it goes wrong.
 *
 * - Every point that the sink accepts is a point of the straight run, with the same fields.
 * - A position goes forward only; back only where Redis lost changes or a checkpoint took its place.
 * - A checkpoint stands where the shard was committed, with all states of the straight run there, and never before the one that it replaces.
 * - When a position moves, the sink has accepted every point below it, and the states touched are those of the straight run at this position.
 * - What a process takes as committed was committed.
 * - When a log's head moves, every poison record below it is a dead letter; nothing else ever is.
 * - Logs and queue keep to their bounds.
 * At the end: all of it again, over everything.
 */
import { createHash } from 'node:crypto';
import { type Checkpoint, type DeadLetter, type Shard, type ShardStatus, shardName } from '@tideline/pipeline';
import { CLOCK_KEY, isRightState, type ShardExpectation } from './expectation.ts';
import type { ExpectedLines } from './expected-lines.ts';
import type { CheckpointWatch } from './sim-checkpoint-log.ts';
import type { SinkWatch } from './sim-influx.ts';
import type { RedisState, SimRedis } from './sim-redis.ts';
import type { StoreChange, StoreWatch } from './sim-shard-store.ts';

export const VIOLATION_KINDS = [
  'missing',
  'duplicated',
  'wrong',
  'position',
  'dead-letter',
  'bound',
  'liveness',
] as const;
export type ViolationKind = (typeof VIOLATION_KINDS)[number];

export interface Violation {
  readonly kind: ViolationKind;
  readonly what: string;
}

interface Ledger {
  position: number;
  head: number;
  /** Where the position has been at the farthest, also before a loss. */
  farthest: number;
  losses: number;
}

const VIOLATIONS_MAX = 20;
/** Tickets of one shard in the queue: lost and late releases make new ones while old ones wait. */
const TICKETS_PER_SHARD_MAX = 40;

export class Checker implements StoreWatch, SinkWatch, CheckpointWatch {
  readonly violations: Violation[] = [];
  readonly points = new Map<string, string>();
  readonly letters = new Map<string, DeadLetter>();
  /** What happened besides the records' daily way. */
  readonly counts = { checkpoints: 0, restores: 0, modelsChanged: 0, silentRemoved: 0 };
  readonly #lines: ExpectedLines;
  readonly #logBytesMax: number;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #checkpoints = new Map<string, number>();
  #redis: SimRedis | null = null;

  constructor(options: { readonly lines: ExpectedLines; readonly logBytesMax: number }) {
    this.#lines = options.lines;
    this.#logBytesMax = options.logBytesMax;
  }

  attach(redis: SimRedis): void {
    this.#redis = redis;
  }

  found(kind: ViolationKind, what: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ kind, what });
    this.#redis?.note(`VIOLATION ${kind}: ${what}`);
  }

  point(line: string, from: string): void {
    const { identity, fields } = cut(line);
    const expected = this.#lines.fieldsOf(identity);
    if (expected.length === 0) this.found('duplicated', `${from} wrote a point of no record: ${line}`);
    else if (!expected.includes(fields)) this.found('wrong', `${from} wrote ${line}, not ${expected.join(' or ')}`);
    this.points.set(identity, fields);
  }

  letter(letter: DeadLetter): void {
    const at = `${shardName(letter.shard)}@${letter.offset}`;
    const shard = this.#lines.first.shards.get(shardName(letter.shard));
    if (!shard?.poison.includes(letter.offset)) this.found('dead-letter', `${at} is no poison: ${letter.reason}`);
    if (letter.record.offset !== letter.offset) this.found('dead-letter', `${at} holds another record`);
    this.letters.set(at, letter);
  }

  /** A process goes on as if everything below `position` were committed. */
  acknowledged(shard: Shard, position: number): void {
    const name = shardName(shard);
    if (position > (this.#ledgers.get(name)?.farthest ?? -1))
      this.found('position', `${position} of ${name} was acknowledged, but never committed`);
  }

  checkpoint(shard: Shard, { marker, states }: Checkpoint): void {
    const name = shardName(shard);
    const { position } = marker;
    this.counts.checkpoints += 1;
    this.acknowledged(shard, position);
    if (position < (this.#checkpoints.get(name) ?? -1))
      this.found('position', `the checkpoint of ${name} went back to ${position}`);
    this.#checkpoints.set(name, position);
    if (this.#lines.decide(name, position, marker.model)) this.counts.modelsChanged += 1;
    this.#allStatesAre(`the checkpoint of ${name}`, this.#lines.of(name, marker.model), position, states);
  }

  async changed(state: RedisState, { commit, installed }: StoreChange): Promise<void> {
    const redis = this.#redis;
    if (redis === null) return;
    for (const status of await state.store.status()) {
      const name = shardName(status.shard);
      const ledger = this.#ledgers.get(name) ?? { position: -1, head: -1, farthest: -1, losses: redis.losses };
      this.#ledgers.set(name, ledger);
      const model = (await state.store.snapshot(status.shard, []))?.model ?? '';
      const expected = this.#lines.of(name, model);
      if (expected === undefined) continue;
      const isInstalled = installed !== undefined && shardName(installed) === name;
      if (status.position < ledger.position && ledger.losses === redis.losses && !isInstalled)
        this.found('position', `${name} went back from ${ledger.position} to ${status.position}`);
      if (status.position > ledger.position && ledger.position >= 0)
        await this.#positionMoved(state, status, model, ledger.position);
      // Refused or not: what it would have changed is as the straight run has it.
      if (commit !== undefined && shardName(commit.shard) === name) {
        await this.#statesAre(state, status, model, [...commit.keys, ...commit.removed]);
        this.counts.silentRemoved += await silentOf(state, status, expected, commit.removed);
      }
      if (isInstalled) this.counts.restores += 1;
      if (isInstalled)
        this.#allStatesAre(`installed ${name}`, expected, status.position, await statesIn(state, status.shard));
      if (status.head > ledger.head) this.#headMoved(name, ledger.head, status.head);
      const farthest = Math.max(ledger.farthest, status.position);
      Object.assign(ledger, { position: status.position, head: status.head, farthest, losses: redis.losses });
      await this.#bounds(state, status);
    }
    const tickets = state.tickets.size;
    if (tickets > TICKETS_PER_SHARD_MAX * this.#lines.first.shards.size) this.found('bound', `${tickets} tickets wait`);
  }

  async #positionMoved(state: RedisState, status: ShardStatus, model: string, from: number): Promise<void> {
    const { position } = status;
    const name = shardName(status.shard);
    for (const identity of this.#lines.pointsOf(name, model, from, position))
      if (!this.points.has(identity))
        this.found('missing', `${name} stands at ${position}, but the sink has no ${identity}`);
    const keys = new Set([CLOCK_KEY]);
    for (const { offset, key } of this.#lines.first.shards.get(name)?.touched ?? [])
      if (offset >= from && offset < position) keys.add(key);
    await this.#statesAre(state, status, model, [...keys]);
  }

  async #statesAre(state: RedisState, status: ShardStatus, model: string, keys: string[]): Promise<void> {
    const { position } = status;
    const shard = this.#lines.of(shardName(status.shard), model);
    if (shard === undefined) return;
    const states = await state.store.load(status.shard, keys);
    keys.forEach((key, i) => {
      if (isRightState(shard, key, position, states[i]) !== 'wrong') return;
      this.found('wrong', `the state of ${key} in ${shardName(status.shard)} at ${position} is ${show(states[i])}`);
    });
  }

  #headMoved(name: string, from: number, head: number): void {
    for (const offset of this.#lines.first.shards.get(name)?.poison ?? [])
      if (offset >= from && offset < head && !this.letters.has(`${name}@${offset}`))
        this.found('dead-letter', `${name} was appended to ${head}, but ${offset} is no dead letter`);
  }

  async #bounds(state: RedisState, { shard, logBytes, position }: ShardStatus): Promise<void> {
    if (logBytes <= this.#logBytesMax) return;
    const entries = await state.store.read(shard, position, 2);
    // One entry is admitted whatever its size.
    if (entries.length > 1) this.found('bound', `the log of ${shardName(shard)} holds ${logBytes} bytes`);
  }

  /** Whether everything is stepped, and, where it `hasChanged`, by the second models. */
  async isDrained(state: RedisState, hasChanged: boolean): Promise<boolean> {
    const statuses = new Map((await state.store.status()).map((status) => [shardName(status.shard), status]));
    for (const [name, { end, touched, poison }] of this.#lines.first.shards) {
      if (touched.length + poison.length === 0) continue;
      const status = statuses.get(name);
      if (status === undefined || status.position < end || status.head !== status.position) return false;
      if (!hasChanged) continue;
      const model = (await state.store.snapshot(status.shard, []))?.model ?? '';
      if (!this.#lines.hasChanged(name) || this.#lines.of(name, model) === this.#lines.first.shards.get(name))
        return false;
    }
    return true;
  }

  /** SHA-256 over the points that must be there, as the sink holds them and as the straight run makes them. */
  digests(): { readonly found: string; readonly expected: string } {
    const required = this.#lines.required();
    const found = new Map(
      [...required.keys()].flatMap((identity) => {
        const fields = this.points.get(identity);
        return fields === undefined ? [] : [[identity, fields] as const];
      }),
    );
    // What no line holds is in the digest, so that it shows.
    for (const [identity, fields] of this.points)
      if (this.#lines.fieldsOf(identity).length === 0) found.set(identity, fields);
    return { found: digestOf(found), expected: digestOf(required) };
  }

  /** All checks over everything, once nothing moves any more. */
  async atEnd(state: RedisState): Promise<void> {
    for (const identity of this.#lines.required().keys())
      if (!this.points.has(identity)) this.found('missing', `the sink has no ${identity}`);
    for (const status of await state.store.status()) {
      const name = shardName(status.shard);
      for (const offset of this.#lines.first.shards.get(name)?.poison ?? [])
        if (!this.letters.has(`${name}@${offset}`)) this.found('dead-letter', `${name}@${offset} is missing`);
      const model = (await state.store.snapshot(status.shard, []))?.model ?? '';
      const line = this.#lines.of(name, model);
      this.#allStatesAre(`in the end ${name}`, line, status.position, await statesIn(state, status.shard));
    }
  }

  #allStatesAre(
    where: string,
    shard: ShardExpectation | undefined,
    position: number,
    states: ReadonlyMap<string, Uint8Array>,
  ): void {
    if (shard === undefined) return;
    for (const key of new Set([CLOCK_KEY, ...states.keys(), ...shard.states.keys()]))
      if (isRightState(shard, key, position, states.get(key) ?? null) === 'wrong')
        this.found('wrong', `${where} at ${position}: the state of ${key} is ${show(states.get(key) ?? null)}`);
  }
}

/** How many of the removed states are not there although their series have not ended. */
async function silentOf(
  { store }: RedisState,
  { shard, position }: ShardStatus,
  expected: ShardExpectation,
  removed: readonly string[],
): Promise<number> {
  const states = await store.load(shard, removed);
  return removed.filter((key, i) => isRightState(expected, key, position, states[i]) === 'removed').length;
}

async function statesIn({ store }: RedisState, shard: Shard): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const { key, bytes } of store.states(shard)) found.set(key, bytes);
  return found;
}

/** Identity and fields of a line, by hand: a space that no backslash precedes ends the tags, the last space begins the time. */
function cut(line: string): { readonly identity: string; readonly fields: string } {
  const [, head, fields, time] = /^((?:\\.|[^\\ ])+) (.*) (-?\d+)$/s.exec(line) ?? ['', line, '', ''];
  return { identity: `${head} ${time}`, fields };
}

function digestOf(points: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const identity of [...points.keys()].sort()) hash.update(`${identity}\t${points.get(identity)}\n`);
  return hash.digest('hex');
}

function show(bytes: Uint8Array | null): string {
  return bytes === null ? 'none' : Buffer.from(bytes).toString('hex');
}
