/** The CheckpointLog port of one process, as the Kafka adapter behaves: a producer for each writer, a transaction for each checkpoint. */
import {
  type Checkpoint,
  type CheckpointLog,
  type CheckpointMarker,
  type CheckpointWriter,
  RetryableError,
  type Shard,
  type StateChange,
  shardName,
} from '@tideline/pipeline';
import type { TopicEntry } from './checkpoint-topic.ts';
import type { SimKafka } from './sim-kafka.ts';
import type { SimProcess } from './sim-process.ts';

/** Sees what became visible, at the broker. */
export interface CheckpointWatch {
  checkpoint(shard: Shard, checkpoint: Checkpoint): void;
}

const VISIBLE_POLL_MS = 200;
const VISIBLE_POLLS_MAX = 75;

export function createSimCheckpointLog(process: SimProcess, kafka: SimKafka, watch: CheckpointWatch): CheckpointLog {
  const { checkpoints: topic } = kafka;
  const never = new AbortController().signal;
  const begin = async (shard: Shard): Promise<CheckpointWriter> => {
    const name = shardName(shard);
    const epoch = await process.call(kafka, `begin checkpoint ${name}`, () => topic.initialize(name));
    return new SimCheckpointWriter({ process, kafka, watch, shard, epoch });
  };
  /** Until everything that was there at this moment is decided, so that a checkpoint which somebody else's unfinished one hides is seen, too. */
  const whenSettled = async (names: readonly string[]): Promise<void> => {
    const ends = await process.call(kafka, 'ends', () => names.map((name) => topic.endOf(name)));
    for (let polls = 0; polls < VISIBLE_POLLS_MAX; polls += 1) {
      const stable = await process.call(kafka, 'stable ends', () => names.map((name) => topic.stableEnd(name)));
      if (stable.every((end, i) => end >= ends[i])) return;
      await process.sleep(VISIBLE_POLL_MS, never);
    }
    throw new RetryableError('An open transaction holds up the checkpoints.');
  };
  return {
    begin,
    async read(shards, { takeOver, settled }) {
      const names = shards.map(shardName);
      if (takeOver) {
        for (const shard of shards) await (await begin(shard)).close();
      }
      if (settled) await whenSettled(names);
      return process.call(kafka, `read checkpoints ${names}`, () => {
        const found = new Map<string, Checkpoint>();
        for (const name of names) {
          const checkpoint = fold(topic.read(name));
          if (checkpoint !== null) found.set(name, checkpoint);
        }
        return found;
      });
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface WriterParts {
  readonly process: SimProcess;
  readonly kafka: SimKafka;
  readonly watch: CheckpointWatch;
  readonly shard: Shard;
  readonly epoch: number;
}

class SimCheckpointWriter implements CheckpointWriter {
  readonly #parts: WriterParts;
  #transaction = 1;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  write(changes: readonly StateChange[]): Promise<void> {
    return this.#send(changes.map(({ key, bytes }) => ({ kind: 'state', key, bytes: bytes?.slice() ?? null })));
  }

  async commit(marker: CheckpointMarker): Promise<void> {
    await this.#send([{ kind: 'marker', marker }]);
    await this.#end('committed');
    this.#transaction += 1;
  }

  async close(): Promise<void> {
    await this.#end('aborted').catch(() => undefined);
  }

  #send(entries: readonly TopicEntry[]): Promise<void> {
    const { process, kafka } = this.#parts;
    const id = this.#id();
    return process.call(kafka, `checkpoint ${id.shard} ${entries.map(show)}`, () =>
      kafka.checkpoints.send(id, entries),
    );
  }

  #end(outcome: 'committed' | 'aborted'): Promise<void> {
    const { process, kafka, shard, watch } = this.#parts;
    const id = this.#id();
    return process.call(kafka, `checkpoint ${id.shard} ${outcome}`, () => {
      kafka.checkpoints.end(id, outcome);
      if (outcome !== 'committed') return;
      const checkpoint = fold(kafka.checkpoints.committed(id.shard));
      if (checkpoint !== null) watch.checkpoint(shard, checkpoint);
    });
  }

  #id() {
    const { shard, epoch } = this.#parts;
    return { shard: shardName(shard), epoch, transaction: this.#transaction };
  }
}

/** The newest complete checkpoint that these entries make. */
export function fold(entries: readonly TopicEntry[]): Checkpoint | null {
  const states = new Map<string, Uint8Array>();
  let marker: CheckpointMarker | null = null;
  for (const entry of entries) {
    if (entry.kind === 'marker') marker = entry.marker;
    else if (entry.bytes === null) states.delete(entry.key);
    else states.set(entry.key, entry.bytes);
  }
  return marker === null ? null : { marker, states };
}

function show(entry: TopicEntry): string {
  return entry.kind === 'marker' ? `@${entry.marker.position}` : entry.key;
}
