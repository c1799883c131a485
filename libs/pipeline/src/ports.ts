/**
 * What the core asks of the world. Each port has a contract suite in `test/contract`, which every adapter passes.
 *
 * Invariants that the ports carry together:
 * 1. Acknowledge last: sink accepted -> states + position committed (one atomic write) -> ticket acknowledged.
 * 2. A shard is a topic-partition with one position. 3. One writer a shard: the epoch, checked in `commit`, is law.
 * 6. Everything is bounded; full means back-pressure, never a drop.
 */
import type { Lines } from './point-lines.ts';
import type { DeadLetter, Shard, SourceBatch } from './record.ts';

/** Result of `ShardStore.append`. */
export type AppendResult =
  /** Stored (or wholly stored before). `ticket` is set when the caller must announce it: the shard had no ticket outstanding. */
  | { readonly status: 'ok'; readonly head: number; readonly ticket: number | null }
  /** `from` is not where the log ends: seek the source to `head` (null: the store knows nothing of the shard, start at its beginning). */
  | { readonly status: 'seek'; readonly head: number | null }
  /** The log is at its bound: pause the source and try again. Nothing was stored. */
  | { readonly status: 'full'; readonly head: number };

/** What the owner of a shard knows after `claim`. */
export interface Claim {
  readonly epoch: number;
  /** Offset of the next record to step; everything below is in the states. -1 before the first append. */
  readonly position: number;
  /** Digest of the model that the states belong to; '' before the first commit. */
  readonly model: string;
}

/** One entry of a shard's log. */
export interface LogEntry {
  /** The next offset after this entry's last. */
  readonly next: number;
  /** An encoded chunk. */
  readonly bytes: Uint8Array;
}

/**
 * What a reader must still hold. Fenced, log and states are those of its own history: without it a paused owner that wakes could load states that
 * another has committed since, and write wrong points before its commit is refused.
 */
export interface Fence {
  readonly epoch: number;
  /** The shard stands at one of these: where the newest commit known to be done ended, and where the one under way will end. */
  readonly positions: readonly [number, number];
}

/** Everything that one batch changes, written at once or not at all. */
export interface Commit {
  readonly shard: Shard;
  readonly epoch: number;
  /** Position that the batch started from (checked) and the one that it ends at. */
  readonly from: number;
  readonly position: number;
  readonly model: string;
  /** Series whose state changed, with their bytes, which are the caller's again when `commit` has resolved. */
  readonly keys: readonly string[];
  readonly states: readonly Uint8Array[];
  /** Series that ended: their states are removed. Disjoint from `keys`. */
  readonly removed: readonly string[];
}

/** How a shard stands, for lag figures and `tideline state`. */
export interface ShardStatus {
  readonly shard: Shard;
  readonly epoch: number;
  readonly owner: string;
  readonly position: number;
  readonly head: number;
  readonly logBytes: number;
  readonly series: number;
  /** Number of the ticket outstanding, null if none. */
  readonly ticket: number | null;
}

/** Log, states, position and epoch of every shard, in one place so that they can change together. */
export interface ShardStore extends AsyncDisposable {
  /** Where the shard's log ends (the next offset to append); null if the shard is unknown. */
  head(shard: Shard): Promise<number | null>;
  /**
   * Appends an encoded chunk that covers offsets [from, next). Idempotent by offset: a chunk at or below the head changes nothing.
   * `from` must equal the head; an overlap or a gap answers `seek`. An unknown shard is created only where `begins` says that `from` is the
   * beginning of what the source retains (otherwise `seek` with head null): a store that lost everything is rebuilt from the start, never half-way.
   */
  append(shard: Shard, entry: { readonly from: number; readonly begins: boolean } & LogEntry): Promise<AppendResult>;
  /** Makes `owner` the writer. The epoch grows by one unless `owner` had the shard last. */
  claim(shard: Shard, owner: string): Promise<Claim>;
  /** Entries whose `next` is above `position`, oldest first, at most `entriesMax`. Throws StaleEpochError where `fence` does not hold. */
  read(shard: Shard, position: number, entriesMax: number, fence?: Fence): Promise<LogEntry[]>;
  /** States of the given series, null where there is none. Throws StaleEpochError where `fence` does not hold. */
  load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]>;
  /**
   * Atomically writes states and position and trims the log. Throws StaleEpochError, having changed nothing, if the epoch or `from` is not the
   * current one. The newest commit repeated (same epoch, `from` and `position`) resolves and changes nothing, so a lost reply can be retried.
   */
  commit(commit: Commit): Promise<void>;
  /**
   * Gives the shard's ticket back. `drained`: the log is empty and no ticket is outstanding; otherwise there is more work
   * and `ticket` is the number of the next ticket, which the caller announces (or goes on serving itself when `keep`).
   */
  release(
    shard: Shard,
    options: { readonly epoch: number; readonly keep: boolean },
  ): Promise<{ readonly drained: boolean; readonly ticket: number | null }>;
  /** Every known shard. */
  status(): Promise<ShardStatus[]>;
  /** All states of a shard, for export. */
  states(shard: Shard): AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }>;
}

/** "Shard P has work." At most one a shard is outstanding; `number` makes a lost announcement repeatable. */
export interface Ticket {
  readonly shard: Shard;
  readonly number: number;
}

/** Hands tickets to workers. Announcing the same ticket twice is one ticket while it is outstanding. */
export interface TicketQueue extends AsyncDisposable {
  announce(ticket: Ticket): Promise<void>;
  /** Starts taking tickets, at most `concurrency` at once. `signal` aborts when the ticket's lock is lost. Resolves when workers stand ready. */
  work(
    handler: (ticket: Ticket, signal: AbortSignal) => Promise<void>,
    options: { readonly concurrency: number },
  ): Promise<void>;
  /** Takes no new tickets and waits for the handlers that run. */
  drain(): Promise<void>;
}

/** Takes points in line protocol. The same point twice is one point. */
export interface PointSink extends AsyncDisposable {
  /** Resolves when the sink has accepted every line. Throws RetryableError where a retry can help. */
  write(lines: Lines): Promise<void>;
}

/** Keeps refused records. The same position twice is one dead letter. */
export interface DeadLetterSink extends AsyncDisposable {
  write(letters: readonly DeadLetter[]): Promise<void>;
}

/** Best-effort feed of new points to people who watch now. Losing one loses nothing that is kept. */
export interface LiveFeed extends AsyncDisposable {
  publish(lines: Lines): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (lines: readonly string[]) => void): Promise<() => Promise<void>>;
}

/** Value of `seek` that means the beginning of what the source retains. */
export const BEGINNING = -1;

/** What a source's owner gives it. */
export interface SourceHandler {
  /**
   * Offset to start a shard at; null: its beginning. Asked again at every assignment, and once more with `low`, the first offset that is retained, where
   * the answer lies before it: records that the store still wants are gone. The same answer again means that they are lost.
   */
  start(shard: Shard, low?: number): Promise<number | null>;
  /** Resolves with `next` to go on, or with another offset (or BEGINNING) to seek to. Not resolving is the back-pressure. */
  batch(batch: SourceBatch): Promise<{ readonly seek: number | null }>;
}

/** Delivers each shard's records in order, starting where the handler says. */
export interface RecordSource extends AsyncDisposable {
  run(handler: SourceHandler): Promise<void>;
  /** Asks the handler anew where a shard starts, as at an assignment. Nothing happens where its batch is under way or it is not delivered here. */
  reposition(shard: Shard): void;
  /** Stops delivering and waits for the batches under way. */
  drain(): Promise<void>;
}
