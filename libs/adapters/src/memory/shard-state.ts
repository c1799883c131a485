/**
 * The rules of a shard's state machine, as pure functions from one state to the next. The memory and the LMDB store share them;
 * the Redis store says the same in Lua (`../redis/shard-scripts.ts`), and the contract suite holds all three to this model.
 *
 * Invariants between transitions:
 * - The log is contiguous and ends at `head`, so it holds entries exactly when `head > position`.
 * - `head > position` implies `outstanding`: work that waits always has a ticket, so no wake-up is lost.
 */
import assert from 'node:assert/strict';
import {
  type AppendResult,
  type Claim,
  type Commit,
  type Fence,
  type Shard,
  type ShardMark,
  StaleEpochError,
  shardName,
} from '@tideline/pipeline';

/** Everything about a shard but its log entries and its states. */
export interface ShardState {
  readonly epoch: number;
  readonly owner: string;
  /** Offset of the next record to step; -1 before the first append. */
  readonly position: number;
  /** Where the newest commit started; -1 before the first one. With the position it recognises that commit if its reply was lost and it comes again. */
  readonly committedFrom: number;
  /** The next offset to append; -1 before the first append. */
  readonly head: number;
  readonly model: string;
  /** Number of the newest ticket. */
  readonly ticket: number;
  /** Whether that ticket is still to be given back. */
  readonly outstanding: boolean;
  readonly logBytes: number;
  /** Changes when states are changed by something else than records. */
  readonly revision: string;
}

/** Bounds of a shard's log. One entry is always admitted, whatever its size, so that no bound can stop a shard for ever. */
export interface LogBounds {
  readonly logBytesMax: number;
  /** Offsets that the log may span. */
  readonly logRecordsMax: number;
}

/** Bound on the span of a log where the caller names none. */
export const LOG_RECORDS_MAX_DEFAULT = 1_000_000;

export const NEW_SHARD: ShardState = {
  epoch: 0,
  owner: '',
  position: -1,
  committedFrom: -1,
  head: -1,
  model: '',
  ticket: 0,
  outstanding: false,
  logBytes: 0,
  revision: '',
};

/** What `append` does: `state` replaces the old one, and the entry goes into the log where `stored`. */
export function appendTransition(
  state: ShardState,
  entry: { readonly from: number; readonly begins: boolean; readonly next: number; readonly sizeBytes: number },
  bounds: LogBounds,
): { readonly state: ShardState; readonly result: AppendResult; readonly stored: boolean } {
  assertEntry(entry);
  const { head } = state;
  if (head === -1 && !entry.begins) return { state, result: { status: 'seek', head: null }, stored: false };
  if (head !== -1 && entry.next <= head) {
    // A repeat may come from a caller that crashed between storing and announcing: it is told the ticket again.
    return { state, result: { status: 'ok', head, ticket: state.outstanding ? state.ticket : null }, stored: false };
  }
  if (head !== -1 && entry.from !== head) return { state, result: { status: 'seek', head }, stored: false };
  const position = head === -1 ? entry.from : state.position;
  const over = state.logBytes + entry.sizeBytes > bounds.logBytesMax || entry.next - position > bounds.logRecordsMax;
  if (over && head > position) return { state, result: { status: 'full', head }, stored: false };
  const ticket = state.outstanding ? state.ticket : state.ticket + 1;
  return {
    state: {
      ...state,
      position,
      head: entry.next,
      ticket,
      outstanding: true,
      logBytes: state.logBytes + entry.sizeBytes,
    },
    result: { status: 'ok', head: entry.next, ticket: state.outstanding ? null : ticket },
    stored: true,
  };
}

export function claimTransition(
  state: ShardState,
  owner: string,
): { readonly state: ShardState; readonly claim: Claim } {
  assertOwner(owner);
  const epoch = state.owner === owner ? state.epoch : state.epoch + 1;
  return { state: { ...state, epoch, owner }, claim: { epoch, position: state.position, model: state.model } };
}

/**
 * State after a commit, or null where it repeats the newest one, whose reply was lost: nothing is left to do.
 * `trimmedBytes` is the size of the log entries whose `next` is at most the commit's position. Throws StaleEpochError.
 */
export function commitTransition(state: ShardState, commit: Commit, trimmedBytes: () => number): ShardState | null {
  assertCommit(commit);
  if (!holds(state, commit.epoch)) throw staleEpoch(commit.shard, commit.epoch, state.epoch);
  if (state.position !== commit.from) {
    if (state.position === commit.position && state.committedFrom === commit.from) return null;
    throw stalePosition(commit.shard, commit.from, state.position);
  }
  return {
    ...state,
    position: commit.position,
    committedFrom: commit.from,
    // A store that lost its last appends can end below what its owner has stepped already; the position is then the new end.
    head: Math.max(state.head, commit.position),
    model: commit.model,
    logBytes: state.logBytes - trimmedBytes(),
  };
}

/** Throws StaleEpochError. */
export function releaseTransition(
  shard: Shard,
  state: ShardState,
  options: { readonly epoch: number; readonly keep: boolean },
): { readonly state: ShardState; readonly result: { readonly drained: boolean; readonly ticket: number | null } } {
  if (!holds(state, options.epoch)) throw staleEpoch(shard, options.epoch, state.epoch);
  if (state.head <= state.position) {
    return { state: { ...state, outstanding: false }, result: { drained: true, ticket: null } };
  }
  const ticket = options.keep ? state.ticket : state.ticket + 1;
  return { state: { ...state, ticket, outstanding: true }, result: { drained: false, ticket } };
}

/** State of a shard that was filled from an image: its log is empty, and whoever owned it, here or where the image is from, is fenced. */
export function installTransition(
  state: ShardState,
  mark: Pick<ShardMark, 'position' | 'epoch' | 'model'>,
  revision: string,
): ShardState {
  const { position, epoch, model } = mark;
  return {
    ...NEW_SHARD,
    epoch: Math.max(state.epoch, epoch) + 1,
    position,
    head: position,
    model,
    // A number that was announced before would be taken for a repeat.
    ticket: state.ticket,
    revision,
  };
}

/** Throws StaleEpochError where a fenced read must not see this state. */
export function assertFence(
  shard: Shard,
  state: Pick<ShardState, 'epoch' | 'position'>,
  fence: Fence | undefined,
): void {
  if (fence === undefined) return;
  if (!holds(state, fence.epoch)) throw staleEpoch(shard, fence.epoch, state.epoch);
  if (!fence.positions.includes(state.position)) throw stalePosition(shard, fence.positions[1], state.position);
}

/** Epoch 0 is that of a shard which nobody has claimed, so nobody holds it. */
function holds(state: Pick<ShardState, 'epoch'>, epoch: number): boolean {
  return epoch !== 0 && state.epoch === epoch;
}

export function assertOwner(owner: string): void {
  assert(owner !== '', 'A shard is claimed by a named owner.');
}

export function assertEntry(entry: { readonly from: number; readonly next: number }): void {
  assert(
    Number.isSafeInteger(entry.from) && Number.isSafeInteger(entry.next) && entry.from >= 0 && entry.next > entry.from,
    `A log entry covers at least one offset, not [${entry.from}, ${entry.next}).`,
  );
}

export function assertCommit(commit: Commit): void {
  assert(commit.keys.length === commit.states.length, 'A commit has one state for each key.');
  assert(
    commit.from >= 0 && commit.position >= commit.from,
    `A commit goes forward from an offset, not from ${commit.from} to ${commit.position}.`,
  );
}

export function staleEpoch(shard: Shard, held: number, current: number): StaleEpochError {
  return new StaleEpochError(`Epoch ${held} of shard ${shardName(shard)} is over; the current one is ${current}.`);
}

export function stalePosition(shard: Shard, from: number, current: number): StaleEpochError {
  return new StaleEpochError(
    `A batch of shard ${shardName(shard)} starts at offset ${from}, but the shard stands at ${current}.`,
  );
}
