import {
  type Checkpoint,
  type CheckpointLog,
  type CheckpointMarker,
  type CheckpointWriter,
  type Shard,
  StaleEpochError,
  type StateChange,
  shardName,
} from '@tideline/pipeline';

interface Cell {
  marker: CheckpointMarker | null;
  states: Map<string, Uint8Array>;
  /** Number of the newest writer. */
  writer: number;
}

/** A CheckpointLog in this process's memory: the model that the Kafka topic is compared with, and the log of tests. */
export function createMemoryCheckpointLog(): CheckpointLog {
  const cells = new Map<string, Cell>();
  const cellOf = (shard: Shard): Cell => {
    const name = shardName(shard);
    const cell = cells.get(name) ?? { marker: null, states: new Map(), writer: 0 };
    cells.set(name, cell);
    return cell;
  };
  return {
    begin: async (shard) => createWriter(shard, cellOf(shard)),
    async read(shards, { takeOver }) {
      const found = new Map<string, Checkpoint>();
      for (const shard of shards) {
        const cell = cellOf(shard);
        if (takeOver) cell.writer += 1;
        const { marker, states } = cell;
        if (marker !== null) found.set(shardName(shard), { marker, states: new Map(states) });
      }
      return found;
    },
    async [Symbol.asyncDispose]() {},
  };
}

function createWriter(shard: Shard, cell: Cell): CheckpointWriter {
  cell.writer += 1;
  const number = cell.writer;
  const written: StateChange[] = [];
  const assertNewest = (): void => {
    if (cell.writer !== number)
      throw new StaleEpochError(`Another writer of checkpoints of ${shardName(shard)} began.`);
  };
  return {
    async write(changes) {
      assertNewest();
      for (const { key, bytes } of changes) written.push({ key, bytes: bytes?.slice() ?? null });
    },
    async commit(marker) {
      assertNewest();
      for (const { key, bytes } of written) {
        if (bytes === null) cell.states.delete(key);
        else cell.states.set(key, bytes);
      }
      written.length = 0;
      cell.marker = marker;
    },
    async close() {
      written.length = 0;
    },
  };
}
