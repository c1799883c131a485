/** The stream of the chain workload: `{"key","kind","value","ts"}`; kinds step, skip, end, nan. Its state counts and sums what it saw. */
import {
  type ChunkBuilder,
  escapeTag,
  PoisonRecordError,
  pointTime,
  type RawRecord,
  type Stream,
} from '@tideline/pipeline';

export const CHAIN_KINDS = ['step', 'skip', 'end', 'nan'] as const;
export type ChainKind = (typeof CHAIN_KINDS)[number];

interface ChainRecord {
  readonly key: string;
  readonly kind: ChainKind;
  readonly value: number;
  readonly ts: number;
}

export function createChainStream(modelName = 'chain-1'): Stream {
  return {
    name: 'chain',
    schema: { numbers: ['value'], texts: ['kind'] },
    stateSize: 2,
    contextSize: 2,
    inputSize: 2,
    outputSize: 2,
    decode: decodeChain,
    advance(chunk, row, { state, stateAt, inputs, inputAt, context, contextAt }) {
      const kind = chunk.texts[0][row];
      const value = chunk.numbers[0][row];
      state[stateAt] += 1;
      state[stateAt + 1] = (state[stateAt + 1] * 31 + value) % 1_000_003;
      if (kind === 'end' || kind === 'skip') return kind;
      inputs[inputAt] = value;
      inputs[inputAt + 1] = kind === 'nan' ? Number.NaN : state[stateAt];
      context[contextAt] = state[stateAt];
      context[contextAt + 1] = state[stateAt + 1];
      return 'step';
    },
    emit(shard, chunk, row, { outputs, outputAt, context, contextAt }, lines) {
      const key = escapeTag(chunk.keys[chunk.keyOf[row]]);
      const [hash, steps] = [outputs[outputAt], outputs[outputAt + 1]];
      const [count, sum] = [context[contextAt], context[contextAt + 1]];
      lines.push(
        `chain,model=${modelName},series=${key} count=${count}i,hash=${hash}i,offset=${chunk.offsets[row]}i,` +
          `partition=${shard.partition}i,steps=${steps}i,sum=${sum}i ${pointTime(chunk, row)}`,
      );
    },
  };
}

/** Tells each sequence that is over: what its state had summed up. */
export function chainClose(modelName: string): NonNullable<Stream['close']> {
  return (shard, { key, cause, by, streamState: [count, sum] }, lines) => {
    const time = by === null ? sum : pointTime(by.chunk, by.row);
    const where = by === null ? '' : `,offset=${by.chunk.offsets[by.row]}i`;
    lines.push(
      `chain_end,cause=${cause},count=${count},model=${modelName},partition=${shard.partition},series=${escapeTag(key)} sum=${sum}i${where} ${time}`,
    );
  };
}

function decodeChain(record: RawRecord, builder: ChunkBuilder): void {
  const { key, kind, value, ts } = parse(record);
  builder.number(0, value);
  builder.text(0, kind);
  builder.push(key, record.offset, { ms: ts, subNs: 0, unit: 'ms' });
}

function parse(record: RawRecord): ChainRecord {
  let found: Partial<ChainRecord> | null;
  try {
    found = JSON.parse(Buffer.from(record.value ?? []).toString('utf8'));
  } catch (cause) {
    throw new PoisonRecordError('The value is no JSON.', { cause });
  }
  const { key, kind, value, ts } = found ?? {};
  if (typeof key !== 'string' || typeof value !== 'number' || typeof ts !== 'number')
    throw new PoisonRecordError('A field is missing.', { field: 'key' });
  if (kind === undefined || !CHAIN_KINDS.includes(kind))
    throw new PoisonRecordError(`'kind' is ${kind}.`, { field: 'kind' });
  return { key, kind, value, ts };
}
