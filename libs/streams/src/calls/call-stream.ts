import { classGroupsOf, type Model } from '@tideline/nn';
import {
  type Chunk,
  escapeTag,
  type LatePolicy,
  type OutputState,
  pointSubNs,
  pointTime,
  type RowAction,
  type RowBuffers,
  type RowOutput,
  type SequenceEnd,
  type Shard,
  type Stream,
  shardName,
  stringField,
} from '@tideline/pipeline';
import { ALERT_PREFIX } from '../alerts/alert.ts';
import { redactText } from '../privacy/redact.ts';
import { alertState, createAlertWatch, type FoundAlert, type RuledTurn } from './alert-state.ts';
import { type CallFeatures, callFeaturesOf } from './call-features.ts';
import { CALL_FIGURES_SIZE, type FiguredTurn, figureTurn } from './call-figures.ts';
import { CALL_NUMBERS, CALL_SCHEMA, CALL_TEXTS, decodeCall } from './decode.ts';
import {
  FORECAST_SCORES_SIZE,
  type FollowedTurn,
  followForecasts,
  type SettledBin,
  settledFields,
} from './forecast-scores.ts';
import { type CallProbabilities, callOutputSizeOf, callReaderOf } from './outputs.ts';
import { CALL_REDACTION } from './redaction.ts';
import { isNegative, rollTurn, supervisorTags } from './rollup.ts';
import { type CallRules, RULES_MAX } from './rules.ts';
import { createCallSummary, type EndedCall, type SaidTurn } from './summary.ts';
import { SUMMARY_STATE_SIZE } from './summary-state.ts';
import { readText, textStateSize, writeText } from './text-state.ts';
import { TIMING_STATE_SIZE, type TimedTurn, type TurnTiming, timeTurn } from './turn-timing.ts';
import { isTakenTurn, TURNS_SIZE, takeTurn } from './turns.ts';

const TAG_NUMBERS = textStateSize(42);

/** Places in the stream state: utterances so far, sum of the lexicon's compound scores, time of the last one, whether the line is held, queue, agent, turns. */
const AGENT = 4 + TAG_NUMBERS;
const S = { count: 0, compoundSum: 1, lastMs: 2, held: 3, queue: 4, agent: AGENT, turns: AGENT + TAG_NUMBERS } as const;
const STATE_SIZE = S.turns + TURNS_SIZE;

/** Places in a row's context: the call's mean compound score, then queue and agent as they were at the row. */
export const CALL_CONTEXT = {
  score: 0,
  compound: 1,
  queue: 2,
  agent: 2 + TAG_NUMBERS,
  silenceMs: 2 + 2 * TAG_NUMBERS,
  /** Whether the line was held before it; turns before it. */
  held: 3 + 2 * TAG_NUMBERS,
  count: 4 + 2 * TAG_NUMBERS,
} as const;
/** As much of a text as the network sees. */
const TEXT_CHARACTERS_MAX = 2_000;
const CONTEXT_SIZE = CALL_CONTEXT.count + 1;

/** Nobody holds a line for an hour without a word, a hold or a transfer. */
export const CALL_IDLE_TTL_MS = 3_600_000;

export interface CallStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  /** The model that will step: its features and answers. None: those of the small model that ships. */
  readonly model?: Pick<Model, 'spec' | 'weights'>;
  /** What happens to late events and to utterances that are sent again; default `apply`. */
  readonly late?: LatePolicy;
  /** A call without an event for longer, in event time, is over, although no `ended` came; null: never. Default: CALL_IDLE_TTL_MS. */
  readonly idleTtlMs?: number | null;
  /** Whether names, numbers and addresses are taken out of the texts before anything is kept or computed; default true. */
  readonly redact?: boolean;
  /** What alerts are looked for, and whose agents are whose; default none. */
  readonly rules?: CallRules;
  /** Points beside sentiment and alerts; default none. */
  readonly points?: readonly CallPoints[];
  /** Reads a call that is over; needed for the points of `summary`. */
  readonly summaryModel?: Model;
}

/**
 * `turns`: the redacted text of each turn, for who looks at the call; `figures`: how the call stands at it. `rollups`: what it adds to agent, queue and
 * supervisor. `scores`: what forecasts were worth, once their turns were said. `summary`: one point when the call is over, by `summaryModel`.
 */
export const CALL_POINTS = ['turns', 'figures', 'rollups', 'scores', 'summary'] as const;
export type CallPoints = (typeof CALL_POINTS)[number];

/**
 * The stream of topic `calls`: a `sentiment` point for each final utterance. `started` begins a call, also where one of its id is still open; `ended`
 * releases its state, however late it comes.
 * `score` is positive minus negative of the model, or the lexicon's where the model does not say; `call_score` is the running mean of the lexicon's
 * compound score over the call so far;
 * `escalation` is the model's probability that the call turns negative. `outputs.ts` says what else a model may answer.
 */
export function createCallStream(options: CallStreamOptions): Stream {
  const model = escapeTag(options.modelName);
  const { idleTtlMs = CALL_IDLE_TTL_MS, redact = true } = options;
  const features = callFeaturesOf(options.model);
  const read = callReaderOf(options.model?.spec);
  const { rules = NO_RULES, points = [] } = options;
  const watch = createAlertWatch(rules);
  const [keepsTurns, figures, rollsUp, scores] = CALL_POINTS.map((kind) => points.includes(kind));
  const places = outputPlaces(points);
  const supervisorOf = supervisorTags(rules.supervisors);
  const outputState = outputStateOf(options);
  const horizon = options.model === undefined || classGroupsOf(options.model.spec).length === 0 ? 'customer' : 'turns';
  const { summaryModel } = options;
  // Where nothing steps (ingest) there is no model to tell calls that are over.
  const summary =
    summaryModel !== undefined && points.includes('summary') ? createCallSummary(summaryModel, rules) : null;
  return {
    name: 'calls',
    looksForSaturation: true,
    late: options.late ?? 'apply',
    ...(idleTtlMs === null ? {} : { idleTtlMs }),
    schema: CALL_SCHEMA,
    stateSize: STATE_SIZE + features.stateSize,
    contextSize: CONTEXT_SIZE,
    ...(outputState === null ? {} : { outputState }),
    inputSize: features.inputSize,
    outputSize: callOutputSizeOf(options.model?.spec),
    begins: (chunk, row) => chunk.texts[CALL_TEXTS.type][row] === 'started',
    ends: (chunk, row) => chunk.texts[CALL_TEXTS.type][row] === 'ended',
    repeats: repeatsTurn,
    ...(redact ? { redaction: CALL_REDACTION } : {}),
    decode: (record, builder) => decodeCall(record, builder, redact ? redactText : (text) => text),
    advance: (chunk, row, buffers) => advanceCall(chunk, row, buffers, features),
    emit(shard, chunk, row, output, lines) {
      const point = { shard, chunk, row, output, model, said: read(output.outputs, output.outputAt) };
      lines.push(sentimentLine(point));
      const alerts = watch(ruledTurn(point), output.state, output.stateAt);
      for (const alert of alerts) lines.push(alertLine(point, alert));
      const at = output.stateAt;
      const timing = rollsUp || figures ? timeTurn(timedTurn(point), output.state, at + places.timing) : UNTIMED;
      const fields = figures ? figureTurn(figuredTurn(point, timing), output.state, at + places.figures) : '';
      if (keepsTurns || figures) lines.push(turnLine(point, fields, keepsTurns));
      if (rollsUp) lines.push(rollupLine(point, { alerts: alerts.length, timing, supervisorOf }));
      summary?.note(saidTurn(point), output.state, at + places.summary);
      if (!scores) return;
      for (const settled of followForecasts(followedTurn(point), output.state, at + places.scores, horizon))
        lines.push(scoreLine(point, settled));
    },
    ...(summary === null
      ? {}
      : {
          close(shard, end, lines) {
            for (const line of summary.close(endedCall(shard, end, places.summary))) lines.push(line);
          },
        }),
  };
}

const NO_RULES: CallRules = { rules: [], categories: [], supervisors: [] };
const UNTIMED: TurnTiming = { talkMs: 0, silenceMs: 0, overlapMs: 0, interrupts: false };

/** What the output state holds behind the rules' counts, in this order, each with what it mixes into the state's meaning. */
const PARTS = {
  timing: { of: ['figures', 'rollups'], size: TIMING_STATE_SIZE, meaning: 0x5f3759df },
  scores: { of: ['scores'], size: FORECAST_SCORES_SIZE, meaning: 0x6b8f3a17 },
  figures: { of: ['figures'], size: CALL_FIGURES_SIZE, meaning: 0x1d872b41 },
  summary: { of: ['summary'], size: SUMMARY_STATE_SIZE, meaning: 0x2c1b3c6d },
} as const satisfies Record<string, { of: readonly CallPoints[]; size: number; meaning: number }>;
type OutputPart = keyof typeof PARTS;

function outputParts(points: readonly CallPoints[]): OutputPart[] {
  return (Object.keys(PARTS) as OutputPart[]).filter((part) => PARTS[part].of.some((kind) => points.includes(kind)));
}

/** Where each part begins; a part that is not kept is nowhere. */
function outputPlaces(points: readonly CallPoints[]): Readonly<Record<OutputPart, number>> {
  const places = { timing: -1, scores: -1, figures: -1, summary: -1 };
  let at = RULES_MAX;
  for (const part of outputParts(points)) {
    places[part] = at;
    at += PARTS[part].size;
  }
  return places;
}

/** The rules' counts, then the parts; null: none is wanted. */
function outputStateOf({ rules, points = [] }: CallStreamOptions): OutputState | null {
  const parts = outputParts(points).map((part) => PARTS[part]);
  if (rules === undefined && parts.length === 0) return null;
  return parts.reduce<OutputState>(
    (sum, { size, meaning }) => ({ size: sum.size + size, meaning: (sum.meaning ^ meaning) >>> 0 }),
    alertState(rules ?? NO_RULES),
  );
}

function advanceCall(chunk: Chunk, row: number, buffers: RowBuffers, features: CallFeatures): RowAction {
  const { state, stateAt: s, context, contextAt } = buffers;
  const type = chunk.texts[CALL_TEXTS.type][row];
  const queue = chunk.texts[CALL_TEXTS.queue][row];
  const agent = chunk.texts[CALL_TEXTS.agent][row];
  if (queue !== '') writeText(state, s + S.queue, TAG_NUMBERS, queue);
  if (agent !== '') writeText(state, s + S.agent, TAG_NUMBERS, agent);
  if (type === 'hold') state[s + S.held] = 1;
  if (type === 'ended') return 'end';
  // A turn advances the call once, whatever the policy for repeated records: `apply` counts its repetitions and corrections.
  if (!isFinal(chunk, row) || isTakenTurn(chunk, row, state, s + S.turns)) return 'skip';
  takeTurn(chunk, row, state, s + S.turns);
  const count = state[s + S.count];
  const gapMs = count === 0 ? 0 : Math.max(0, chunk.timeMs[row] - state[s + S.lastMs]);
  const turn = {
    text: chunk.texts[CALL_TEXTS.text][row],
    speaker: chunk.texts[CALL_TEXTS.speaker][row],
    startMs: chunk.numbers[CALL_NUMBERS.startMs][row],
    endMs: chunk.numbers[CALL_NUMBERS.endMs][row],
    ...{ count, gapMs, meanCompound: count === 0 ? 0 : state[s + S.compoundSum] / count },
  };
  const compound = features.write(turn, buffers, s + STATE_SIZE);
  state[s + S.count] = count + 1;
  state[s + S.compoundSum] += compound;
  state[s + S.lastMs] = count === 0 ? chunk.timeMs[row] : Math.max(state[s + S.lastMs], chunk.timeMs[row]);
  context[contextAt + CALL_CONTEXT.score] = state[s + S.compoundSum] / (count + 1);
  context[contextAt + CALL_CONTEXT.compound] = compound;
  context.set(state.subarray(s + S.queue, s + S.queue + 2 * TAG_NUMBERS), contextAt + CALL_CONTEXT.queue);
  context[contextAt + CALL_CONTEXT.silenceMs] = state[s + S.held] === 1 ? 0 : gapMs;
  context[contextAt + CALL_CONTEXT.held] = state[s + S.held];
  context[contextAt + CALL_CONTEXT.count] = count;
  state[s + S.held] = 0;
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

interface TurnPoint {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly row: number;
  readonly output: RowOutput;
  readonly model: string;
  readonly said: CallProbabilities;
}

function scoreOf({ said: { sentiment }, output: { context, contextAt } }: TurnPoint): number {
  return sentiment ? sentiment[2] - sentiment[0] : context[contextAt + CALL_CONTEXT.compound];
}

function ruledTurn(point: TurnPoint): RuledTurn {
  const { chunk, row, said, output } = point;
  return {
    speaker: chunk.texts[CALL_TEXTS.speaker][row],
    text: chunk.texts[CALL_TEXTS.text][row],
    score: scoreOf(point),
    callScore: output.context[output.contextAt + CALL_CONTEXT.score],
    escalation: said.escalation,
    silenceMs: output.context[output.contextAt + CALL_CONTEXT.silenceMs],
  };
}

/** The call's agent and queue at the turn, and its id, as tags. */
function tagsOf({
  chunk,
  row,
  output: { context, contextAt },
}: TurnPoint): Record<'agent' | 'queue' | 'series', string> {
  return {
    agent: tag(readText(context, contextAt + CALL_CONTEXT.agent, TAG_NUMBERS)),
    queue: tag(readText(context, contextAt + CALL_CONTEXT.queue, TAG_NUMBERS)),
    series: escapeTag(chunk.keys[chunk.keyOf[row]]),
  };
}

function saidTurn(point: TurnPoint): SaidTurn {
  const { chunk, row, said, output } = point;
  const { speaker, text, score, silenceMs } = ruledTurn(point);
  return {
    ...{ said, speaker, text, score, silenceMs, timeMs: chunk.timeMs[row], timeNs: pointSubNs(chunk, row) },
    ...{ compound: output.context[output.contextAt + CALL_CONTEXT.compound], offset: chunk.offsets[row] },
    isHeld: output.context[output.contextAt + CALL_CONTEXT.held] === 1,
  };
}

/** The queue and the agent that the call had at its end. */
function endedCall(shard: Shard, end: SequenceEnd, at: number): EndedCall {
  const { streamState } = end;
  return {
    ...{ shard, end, at, turns: streamState[S.count] },
    queue: tag(readText(streamState, S.queue, TAG_NUMBERS)),
    agent: tag(readText(streamState, S.agent, TAG_NUMBERS)),
  };
}

function alertLine(point: TurnPoint, { rule: { name, severity }, value, reason }: FoundAlert): string {
  const { shard, chunk, row } = point;
  const { agent, queue, series } = tagsOf(point);
  return (
    `${ALERT_PREFIX}agent=${agent},kind=rule,queue=${queue},rule=${name},series=${series},severity=${severity},stream=calls ` +
    `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,reason=${stringField(reason)},value=${value} ${pointTime(chunk, row)}`
  );
}

/** How the call stands, and what was said, for who looks at it; the redacted text, cut as the network's is. */
function turnLine({ shard, chunk, row }: TurnPoint, figures: string, keepsText: boolean): string {
  const [speaker, text] = [chunk.texts[CALL_TEXTS.speaker][row], chunk.texts[CALL_TEXTS.text][row]];
  return (
    `turn,series=${escapeTag(chunk.keys[chunk.keyOf[row]])},stream=calls ${figures}${figures === '' ? '' : ','}offset=${chunk.offsets[row]}i,` +
    `partition=${shard.partition}i,speaker=${stringField(speaker)}` +
    `${keepsText ? `,text=${stringField(text.slice(0, TEXT_CHARACTERS_MAX))}` : ''} ${pointTime(chunk, row)}`
  );
}

function timedTurn({ chunk, row, output }: TurnPoint): TimedTurn {
  return {
    speaker: chunk.texts[CALL_TEXTS.speaker][row],
    startMs: chunk.numbers[CALL_NUMBERS.startMs][row],
    endMs: chunk.numbers[CALL_NUMBERS.endMs][row],
    isHeld: output.context[output.contextAt + CALL_CONTEXT.held] === 1,
  };
}

function figuredTurn(point: TurnPoint, timing: TurnTiming): FiguredTurn {
  return { isCustomer: point.chunk.texts[CALL_TEXTS.speaker][point.row] === 'customer', score: scoreOf(point), timing };
}

interface RollupParts {
  readonly alerts: number;
  readonly timing: TurnTiming;
  readonly supervisorOf: (agent: string) => string;
}

/** Agents, queues and supervisors have few names; shards keep apart what two of them have at one instant. */
function rollupLine(point: TurnPoint, { alerts, timing, supervisorOf }: RollupParts): string {
  const { shard, chunk, row, output, said } = point;
  const { context, contextAt } = output;
  const { agent, queue } = tagsOf(point);
  const supervisor = supervisorOf(readText(context, contextAt + CALL_CONTEXT.agent, TAG_NUMBERS));
  const turn = {
    callId: chunk.keys[chunk.keyOf[row]],
    speaker: chunk.texts[CALL_TEXTS.speaker][row],
    score: scoreOf(point),
    probabilities: said.sentiment,
    isFirst: context[contextAt + CALL_CONTEXT.count] === 0,
    ...{ alerts, timing },
  };
  const fields = rollTurn(turn);
  return (
    `call_rollup,agent=${agent},queue=${queue},shard=${escapeTag(shardName(shard))},stream=calls,supervisor=${supervisor} ` +
    `${fields} ${pointTime(chunk, row)}`
  );
}

function followedTurn(point: TurnPoint): FollowedTurn {
  const { chunk, row, said } = point;
  return {
    isCustomer: chunk.texts[CALL_TEXTS.speaker][row] === 'customer',
    isNegative: isNegative(scoreOf(point), said.sentiment),
    rating: chunk.numbers[CALL_NUMBERS.satisfaction][row],
    ...{ escalation: said.escalation, dissatisfied: said.satisfaction?.dissatisfied ?? null },
  };
}

/** As roll-ups are: a year of calls is no more series than a day's. */
function scoreLine({ shard, chunk, row, model }: TurnPoint, settled: SettledBin): string {
  return (
    `score,bin=${settled.bin},model=${model},of=${settled.of},shard=${escapeTag(shardName(shard))},stream=calls ` +
    `${settledFields(settled)} ${pointTime(chunk, row)}`
  );
}

function sentimentLine(point: TurnPoint): string {
  const { shard, chunk, row, output, model, said } = point;
  const { context, contextAt } = output;
  const { agent, queue, series } = tagsOf(point);
  const speaker = tag(chunk.texts[CALL_TEXTS.speaker][row]);
  const { sentiment, emotion, escalation, satisfaction, callSatisfaction } = said;
  const [negative, neutral, positive] = sentiment ?? [null, null, null];
  return (
    `sentiment,agent=${agent},model=${model},queue=${queue},series=${series},speaker=${speaker},stream=calls ` +
    `call_score=${context[contextAt + CALL_CONTEXT.score]}${field('call_satisfaction', callSatisfaction?.expected)}` +
    `${field('dissatisfied', satisfaction?.dissatisfied)}${emotion ? `,emotion=${stringField(emotion.name)}` : ''}` +
    `${field('emotion_share', emotion?.probability)}${field('escalation', escalation)}` +
    `${field('negative', negative)}${field('neutral', neutral)},offset=${chunk.offsets[row]}i,partition=${shard.partition}i` +
    `${field('positive', positive)}${field('satisfaction', satisfaction?.expected)},score=${scoreOf(point)} ${pointTime(chunk, row)}`
  );
}

/** A field that only some models have. */
function field(name: string, value: number | null | undefined): string {
  return value === null || value === undefined ? '' : `,${name}=${value}`;
}

/** Line protocol has no empty tag. */
function tag(value: string): string {
  return value === '' ? 'unknown' : escapeTag(value);
}
