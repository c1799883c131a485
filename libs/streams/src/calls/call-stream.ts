import {
  type Chunk,
  escapeTag,
  type LatePolicy,
  pointTime,
  type RowAction,
  type RowBuffers,
  type RowOutput,
  type Shard,
  type Stream,
} from '@tideline/pipeline';
import { CALL_NUMBERS, CALL_SCHEMA, CALL_TEXTS, decodeCall } from './decode.ts';
import { callProbabilities } from './outputs.ts';
import { countWords, TEXT_FEATURES, writeTextFeatures } from './text-features.ts';
import { readText, textStateSize, writeText } from './text-state.ts';
import { isTakenTurn, TURNS_SIZE, takeTurn } from './turns.ts';

const TAG_NUMBERS = textStateSize(42);

/** Places in the stream state: utterances so far, sum of the lexicon's compound scores, time of the last one, queue, agent, and the turns taken. */
const S = {
  count: 0,
  compoundSum: 1,
  lastMs: 2,
  queue: 3,
  agent: 3 + TAG_NUMBERS,
  turns: 3 + 2 * TAG_NUMBERS,
} as const;
const STATE_SIZE = S.turns + TURNS_SIZE;

/** Places in a row's context: the call's mean compound score, then queue and agent as they were at the row. */
export const CALL_CONTEXT = { score: 0, compound: 1, queue: 2, agent: 2 + TAG_NUMBERS } as const;
const CONTEXT_SIZE = CALL_CONTEXT.agent + TAG_NUMBERS;

/** Text features, speaker is customer, speaker is agent, words, gap since the last utterance, running score, turn number. */
const INPUT_SIZE = TEXT_FEATURES + 6;
const OUTPUT_SIZE = 4;

/** Nobody holds a line for an hour without a word, a hold or a transfer. */
export const CALL_IDLE_TTL_MS = 3_600_000;

export interface CallStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  /** What happens to late events and to utterances that are sent again; default `apply`. */
  readonly late?: LatePolicy;
  /** A call without an event for longer, in event time, is over, although no `ended` came; null: never. Default: CALL_IDLE_TTL_MS. */
  readonly idleTtlMs?: number | null;
}

/**
 * The stream of topic `calls`: a `sentiment` point for each final utterance. `started` begins a call, also where one of its id is still open; `ended`
 * releases its state, however late it comes.
 * `score` is positive minus negative of the model; `call_score` is the running mean of the lexicon's compound score over the call so far;
 * `escalation` is the model's probability that the customer's next utterance is negative.
 */
export function createCallStream(options: CallStreamOptions): Stream {
  const model = escapeTag(options.modelName);
  const { idleTtlMs = CALL_IDLE_TTL_MS } = options;
  return {
    name: 'calls',
    looksForSaturation: true,
    late: options.late ?? 'apply',
    ...(idleTtlMs === null ? {} : { idleTtlMs }),
    schema: CALL_SCHEMA,
    stateSize: STATE_SIZE,
    contextSize: CONTEXT_SIZE,
    inputSize: INPUT_SIZE,
    outputSize: OUTPUT_SIZE,
    begins: (chunk, row) => chunk.texts[CALL_TEXTS.type][row] === 'started',
    ends: (chunk, row) => chunk.texts[CALL_TEXTS.type][row] === 'ended',
    repeats: repeatsTurn,
    decode: decodeCall,
    advance: advanceCall,
    emit(shard, chunk, row, output, lines) {
      lines.push(sentimentLine({ shard, chunk, row, output, model }));
    },
  };
}

function advanceCall(chunk: Chunk, row: number, buffers: RowBuffers): RowAction {
  const { state, stateAt: s, inputs, inputAt, context, contextAt } = buffers;
  const type = chunk.texts[CALL_TEXTS.type][row];
  const queue = chunk.texts[CALL_TEXTS.queue][row];
  const agent = chunk.texts[CALL_TEXTS.agent][row];
  if (queue !== '') writeText(state, s + S.queue, TAG_NUMBERS, queue);
  if (agent !== '') writeText(state, s + S.agent, TAG_NUMBERS, agent);
  if (type === 'ended') return 'end';
  // A turn advances the call once, whatever the policy for repeated records: `apply` counts its repetitions and corrections.
  if (!isFinal(chunk, row) || isTakenTurn(chunk, row, state, s + S.turns)) return 'skip';
  takeTurn(chunk, row, state, s + S.turns);
  const text = chunk.texts[CALL_TEXTS.text][row];
  const speaker = chunk.texts[CALL_TEXTS.speaker][row];
  const count = state[s + S.count];
  const gapMs = count === 0 ? 0 : Math.max(0, chunk.timeMs[row] - state[s + S.lastMs]);
  const compound = writeTextFeatures(text, inputs, inputAt);
  const at = inputAt + TEXT_FEATURES;
  inputs[at] = speaker === 'customer' ? 1 : 0;
  inputs[at + 1] = speaker === 'agent' ? 1 : 0;
  inputs[at + 2] = Math.min(Math.log1p(countWords(text)) / 4, 2);
  inputs[at + 3] = Math.min(Math.log1p(gapMs / 1000) / 5, 2);
  inputs[at + 4] = count === 0 ? 0 : state[s + S.compoundSum] / count;
  inputs[at + 5] = Math.min(count, 20) / 20;
  state[s + S.count] = count + 1;
  state[s + S.compoundSum] += compound;
  state[s + S.lastMs] = count === 0 ? chunk.timeMs[row] : Math.max(state[s + S.lastMs], chunk.timeMs[row]);
  context[contextAt + CALL_CONTEXT.score] = state[s + S.compoundSum] / (count + 1);
  context[contextAt + CALL_CONTEXT.compound] = compound;
  context.set(state.subarray(s + S.queue, s + S.queue + 2 * TAG_NUMBERS), contextAt + CALL_CONTEXT.queue);
  return 'step';
}

/** A partial utterance is corrected by its final version: only that one is a turn. */
function isFinal(chunk: Chunk, row: number): boolean {
  return chunk.texts[CALL_TEXTS.type][row] === 'utterance' && chunk.numbers[CALL_NUMBERS.final][row] !== 0;
}

/** Whether the row is a turn that the call has taken: a producer that sends again what may have been lost, or a recogniser that corrects itself. */
function repeatsTurn(chunk: Chunk, row: number, state: Float64Array, s: number): boolean {
  return isFinal(chunk, row) && isTakenTurn(chunk, row, state, s + S.turns);
}

function sentimentLine(point: {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly row: number;
  readonly output: RowOutput;
  readonly model: string;
}): string {
  const { shard, chunk, row, output, model } = point;
  const { context, contextAt } = output;
  const { negative, neutral, positive, escalation } = callProbabilities(output.outputs, output.outputAt);
  const agent = tag(readText(context, contextAt + CALL_CONTEXT.agent, TAG_NUMBERS));
  const queue = tag(readText(context, contextAt + CALL_CONTEXT.queue, TAG_NUMBERS));
  const speaker = tag(chunk.texts[CALL_TEXTS.speaker][row]);
  const series = escapeTag(chunk.keys[chunk.keyOf[row]]);
  return (
    `sentiment,agent=${agent},model=${model},queue=${queue},series=${series},speaker=${speaker},stream=calls ` +
    `call_score=${context[contextAt + CALL_CONTEXT.score]},escalation=${escalation},negative=${negative},neutral=${neutral},` +
    `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,positive=${positive},score=${positive - negative} ${pointTime(chunk, row)}`
  );
}

/** Line protocol has no empty tag. */
function tag(value: string): string {
  return value === '' ? 'unknown' : escapeTag(value);
}
