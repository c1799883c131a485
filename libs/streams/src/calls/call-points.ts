/** The points of a call's turns, and what the parts of the output state are told of each. */
import {
  type Chunk,
  escapeTag,
  pointSubNs,
  pointTime,
  type RowOutput,
  type SequenceEnd,
  type Shard,
  shardName,
  stringField,
} from '@tideline/pipeline';
import { ALERT_PREFIX } from '../alerts/alert.ts';
import type { FoundAlert, RuledTurn } from './alert-state.ts';
import type { FiguredTurn } from './call-figures.ts';
import { CALL_CONTEXT, S, TAG_NUMBERS } from './call-state.ts';
import { CALL_NUMBERS, CALL_TEXTS } from './decode.ts';
import { type FollowedTurn, type SettledBin, settledFields } from './forecast-scores.ts';
import type { CallProbabilities } from './outputs.ts';
import { isNegative, rollTurn } from './rollup.ts';
import type { EndedCall, SaidTurn } from './summary.ts';
import { readText } from './text-state.ts';
import type { TimedTurn, TurnTiming } from './turn-timing.ts';

/** As much of a text as the network sees. */
const TEXT_CHARACTERS_MAX = 2_000;

/** A final utterance, and what the model said at it. */
export interface TurnPoint {
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

export function ruledTurn(point: TurnPoint): RuledTurn {
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

export function saidTurn(point: TurnPoint): SaidTurn {
  const { chunk, row, said, output } = point;
  const { speaker, text, score, silenceMs } = ruledTurn(point);
  return {
    ...{ said, speaker, text, score, silenceMs, timeMs: chunk.timeMs[row], timeNs: pointSubNs(chunk, row) },
    ...{ compound: output.context[output.contextAt + CALL_CONTEXT.compound], offset: chunk.offsets[row] },
    isHeld: output.context[output.contextAt + CALL_CONTEXT.held] === 1,
  };
}

/** The queue and the agent that the call had at its end. */
export function endedCall(shard: Shard, end: SequenceEnd, at: number): EndedCall {
  const { streamState } = end;
  return {
    ...{ shard, end, at, turns: streamState[S.count] },
    queue: tag(readText(streamState, S.queue, TAG_NUMBERS)),
    agent: tag(readText(streamState, S.agent, TAG_NUMBERS)),
  };
}

export function alertLine(point: TurnPoint, { rule: { name, severity }, value, reason }: FoundAlert): string {
  const { shard, chunk, row } = point;
  const { agent, queue, series } = tagsOf(point);
  return (
    `${ALERT_PREFIX}agent=${agent},kind=rule,queue=${queue},rule=${name},series=${series},severity=${severity},stream=calls ` +
    `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,reason=${stringField(reason)},value=${value} ${pointTime(chunk, row)}`
  );
}

/** How the call stands, and what was said, for who looks at it; the redacted text, cut as the network's is. */
export function turnLine({ shard, chunk, row }: TurnPoint, figures: string, keepsText: boolean): string {
  const [speaker, text] = [chunk.texts[CALL_TEXTS.speaker][row], chunk.texts[CALL_TEXTS.text][row]];
  return (
    `turn,series=${escapeTag(chunk.keys[chunk.keyOf[row]])},stream=calls ${figures}${figures === '' ? '' : ','}offset=${chunk.offsets[row]}i,` +
    `partition=${shard.partition}i,speaker=${stringField(speaker)}` +
    `${keepsText ? `,text=${stringField(text.slice(0, TEXT_CHARACTERS_MAX))}` : ''} ${pointTime(chunk, row)}`
  );
}

export function timedTurn({ chunk, row, output }: TurnPoint): TimedTurn {
  return {
    speaker: chunk.texts[CALL_TEXTS.speaker][row],
    startMs: chunk.numbers[CALL_NUMBERS.startMs][row],
    endMs: chunk.numbers[CALL_NUMBERS.endMs][row],
    isHeld: output.context[output.contextAt + CALL_CONTEXT.held] === 1,
  };
}

export function figuredTurn(point: TurnPoint, timing: TurnTiming): FiguredTurn {
  return { isCustomer: point.chunk.texts[CALL_TEXTS.speaker][point.row] === 'customer', score: scoreOf(point), timing };
}

interface RollupParts {
  readonly alerts: number;
  readonly timing: TurnTiming;
  readonly supervisorOf: (agent: string) => string;
}

/** Agents, queues and supervisors have few names; shards keep apart what two of them have at one instant. */
export function rollupLine(point: TurnPoint, { alerts, timing, supervisorOf }: RollupParts): string {
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

export function followedTurn(point: TurnPoint): FollowedTurn {
  const { chunk, row, said } = point;
  return {
    isCustomer: chunk.texts[CALL_TEXTS.speaker][row] === 'customer',
    isNegative: isNegative(scoreOf(point), said.sentiment),
    rating: ratingOf(point),
    ...{ escalation: said.escalation, dissatisfied: said.satisfaction?.dissatisfied ?? null },
    callDissatisfied: said.callSatisfaction?.dissatisfied ?? null,
  };
}

/** The rating that a row brings, 1 to 5: of a turn, or with `ended` of the whole call; NaN: nobody said. */
export function ratingOf({ chunk, row }: Pick<TurnPoint, 'chunk' | 'row'>): number {
  return chunk.numbers[CALL_NUMBERS.satisfaction][row];
}

/** As roll-ups are: a year of calls is no more series than a day's. */
export function scoreLine(
  { shard, chunk, row, model }: Pick<TurnPoint, 'shard' | 'chunk' | 'row' | 'model'>,
  settled: SettledBin,
): string {
  return (
    `score,bin=${settled.bin},model=${model},of=${settled.of},shard=${escapeTag(shardName(shard))},stream=calls ` +
    `${settledFields(settled)} ${pointTime(chunk, row)}`
  );
}

export function sentimentLine(point: TurnPoint): string {
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
