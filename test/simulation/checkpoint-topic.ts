/**
 * A compacted topic with transactions, as the broker keeps it. A shard's producers have one transactional id: initialising it raises the epoch, which
 * ends the open transaction and refuses whatever comes from before. Readers see a partition up to its last stable offset: the start of the oldest
 * transaction that is open. The cleaner leaves the newest committed message of each key.
 */
import { type CheckpointMarker, StaleEpochError } from '@tideline/pipeline';

/** `state`: null where the series ended. */
export type TopicEntry =
  | { readonly kind: 'state'; readonly key: string; readonly bytes: Uint8Array | null }
  | { readonly kind: 'marker'; readonly marker: CheckpointMarker };

interface Transaction {
  readonly number: number;
  outcome: 'open' | 'committed' | 'aborted';
  readonly begunAtMs: number;
}

interface Message {
  readonly offset: number;
  readonly shard: string;
  readonly entry: TopicEntry;
  readonly transaction: Transaction;
}

interface Producer {
  epoch: number;
  transaction: Transaction | null;
}

/** Who sends: a producer that has another epoch by now is fenced. */
export interface ProducerId {
  readonly shard: string;
  readonly epoch: number;
  /** Of the producer's own transactions. */
  readonly transaction: number;
}

/** A transaction that is open for longer is ended by the broker, and its producer fenced. */
const TRANSACTION_TIMEOUT_MS = 10_000;

export class CheckpointTopic {
  readonly #nowMs: () => number;
  readonly #partitions: number;
  /** Without it every producer has an id of its own. */
  readonly #hasFence: boolean;
  readonly #messages: Message[][];
  readonly #producers = new Map<string, Producer>();
  #ended: number[];
  #unfenced = 0;

  constructor(options: { readonly nowMs: () => number; readonly partitions: number; readonly hasFence: boolean }) {
    this.#nowMs = options.nowMs;
    this.#partitions = options.partitions;
    this.#hasFence = options.hasFence;
    this.#messages = Array.from({ length: options.partitions }, () => []);
    this.#ended = this.#messages.map(() => 0);
  }

  /** The epoch of the shard's newest producer; those before are fenced. */
  initialize(shard: string): number {
    if (!this.#hasFence) {
      this.#unfenced += 1;
      this.#producers.set(`${shard} ${this.#unfenced}`, { epoch: this.#unfenced, transaction: null });
      return this.#unfenced;
    }
    const producer = this.#producers.get(shard) ?? { epoch: 0, transaction: null };
    this.#producers.set(shard, producer);
    this.#end(producer, 'aborted');
    producer.epoch += 1;
    return producer.epoch;
  }

  send(id: ProducerId, entries: readonly TopicEntry[]): void {
    const producer = this.#producer(id);
    producer.transaction ??= { number: id.transaction, outcome: 'open', begunAtMs: this.#nowMs() };
    // What comes too late for its transaction belongs to none.
    if (producer.transaction.number !== id.transaction) throw fenced(id.shard);
    const { transaction } = producer;
    const partition = this.#partitionOf(id.shard);
    for (const entry of entries) {
      const offset = this.#ended[partition];
      this.#ended[partition] += 1;
      this.#messages[partition].push({ offset, shard: id.shard, entry, transaction });
    }
  }

  /** The entries that became visible, the transaction being over. */
  end(id: ProducerId, outcome: 'committed' | 'aborted'): void {
    const producer = this.#producer(id);
    if (producer.transaction?.number !== id.transaction) throw fenced(id.shard);
    this.#end(producer, outcome);
  }

  /** Where a reader's partition ends; `stableEnd` is where it can read to. */
  endOf(shard: string): number {
    return this.#ended[this.#partitionOf(shard)];
  }

  stableEnd(shard: string): number {
    this.#expire();
    const partition = this.#partitionOf(shard);
    const open = this.#messages[partition].find(({ transaction }) => transaction.outcome === 'open');
    return open?.offset ?? this.#ended[partition];
  }

  /** What a reader of committed messages gets of a shard, in order. */
  read(shard: string): TopicEntry[] {
    return this.committed(shard, this.stableEnd(shard));
  }

  /** Everything committed of a shard below `end`, whether a reader can see it yet or not. */
  committed(shard: string, end = Number.MAX_SAFE_INTEGER): TopicEntry[] {
    return this.#messages[this.#partitionOf(shard)]
      .filter((message) => message.shard === shard && isCommitted(message) && message.offset < end)
      .map(({ entry }) => entry);
  }

  /** The shard's newest committed checkpoint. */
  newest(shard: string): CheckpointMarker | null {
    const found = this.committed(shard).findLast(({ kind }) => kind === 'marker');
    return found?.kind === 'marker' ? found.marker : null;
  }

  /** Cleans a partition; false where nothing of it had to go. `hasDelete`: together with the removals that are the newest of their key. */
  compact(partition: number, hasDelete: boolean): boolean {
    const messages = this.#messages[partition % this.#partitions];
    const stable =
      messages.find(({ transaction }) => transaction.outcome === 'open')?.offset ?? Number.MAX_SAFE_INTEGER;
    const newest = new Map<string, number>();
    for (const message of messages)
      if (isCommitted(message) && message.offset < stable) newest.set(keyOf(message), message.offset);
    const kept = messages.filter((message) => {
      if (message.offset >= stable) return true;
      const isNewest = isCommitted(message) && newest.get(keyOf(message)) === message.offset;
      return isNewest && !(hasDelete && message.entry.kind === 'state' && message.entry.bytes === null);
    });
    const isCleaner = kept.length < messages.length;
    messages.splice(0, messages.length, ...kept);
    return isCleaner;
  }

  get partitions(): number {
    return this.#partitions;
  }

  #producer({ shard, epoch }: ProducerId): Producer {
    this.#expire();
    const producer = this.#producers.get(this.#hasFence ? shard : `${shard} ${epoch}`);
    if (producer === undefined || producer.epoch !== epoch) throw fenced(shard);
    return producer;
  }

  #expire(): void {
    for (const producer of this.#producers.values()) {
      if (producer.transaction === null) continue;
      if (this.#nowMs() - producer.transaction.begunAtMs < TRANSACTION_TIMEOUT_MS) continue;
      this.#end(producer, 'aborted');
      producer.epoch += 1;
    }
  }

  #end(producer: Producer, outcome: 'committed' | 'aborted'): void {
    if (producer.transaction !== null) producer.transaction.outcome = outcome;
    producer.transaction = null;
  }

  #partitionOf(shard: string): number {
    let hash = 0;
    for (const letter of shard) hash = (hash * 31 + letter.charCodeAt(0)) % 65_521;
    return hash % this.#partitions;
  }
}

function isCommitted({ transaction }: Message): boolean {
  return transaction.outcome === 'committed';
}

function keyOf({ shard, entry }: Message): string {
  return entry.kind === 'marker' ? shard : `${shard}/${entry.key}`;
}

function fenced(shard: string): StaleEpochError {
  return new StaleEpochError(`Another writer of checkpoints of ${shard} began.`);
}
