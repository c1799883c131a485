import { classGroupsOf, type Model } from '@tideline/nn';
import {
  type Chunk,
  escapeTag,
  type LatePolicy,
  type OutputState,
  type RowAction,
  type RowBuffers,
  type Stream,
} from '@tideline/pipeline';
import { redactText } from '../privacy/redact.ts';
import { assertSentenceEncoder, type SentenceEncoder } from '../text/sentence-encoder.ts';
import { alertState, createAlertWatch } from './alert-state.ts';
import { type CallFeatures, callFeaturesOf } from './call-features.ts';
import { CALL_FIGURES_SIZE, figureTurn } from './call-figures.ts';
import {
  alertLine,
  endedCall,
  figuredTurn,
  followedTurn,
  ratingOf,
  rollupLine,
  ruledTurn,
  saidTurn,
  scoreLine,
  sentimentLine,
  timedTurn,
  turnLine,
} from './call-points.ts';
import { type CallSentences, createCallSentences } from './call-sentences.ts';
import { CALL_CONTEXT, CONTEXT_SIZE, S, STATE_SIZE, TAG_NUMBERS } from './call-state.ts';
import { CALL_NUMBERS, CALL_SCHEMA, CALL_TEXTS, decodeCall } from './decode.ts';
import { FORECAST_SCORES_SIZE, followForecasts, settleCall } from './forecast-scores.ts';
import { callOutputSizeOf, callReaderOf } from './outputs.ts';
import { CALL_REDACTION } from './redaction.ts';
import { supervisorTags } from './rollup.ts';
import { type CallRules, RULES_MAX } from './rules.ts';
import { createCallSummary } from './summary.ts';
import { SUMMARY_STATE_SIZE } from './summary-state.ts';
import { writeText } from './text-state.ts';
import { TIMING_STATE_SIZE, type TurnTiming, timeTurn } from './turn-timing.ts';
import { isFinal, isTakenTurn, takeTurn } from './turns.ts';

/** Nobody holds a line for an hour without a word, a hold or a transfer. */
export const CALL_IDLE_TTL_MS = 3_600_000;

export interface CallStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  /** The model that will step: its features and answers. None: those of the small model that ships. */
  readonly model?: Pick<Model, 'spec' | 'weights'>;
  /** The one that the model was trained with; without it such a model's stream can be described, but steps nothing. */
  readonly sentenceEncoder?: SentenceEncoder;
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
 * Throws ConfigError where the model was not trained with this sentence encoder.
 */
export function createCallStream(options: CallStreamOptions): Stream {
  const model = escapeTag(options.modelName);
  const { idleTtlMs = CALL_IDLE_TTL_MS, redact = true } = options;
  const features = callFeaturesOf(options.model);
  const sentences = callSentencesOf(options);
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
  const summaryName = escapeTag(summaryModel?.spec.name ?? '');
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
    ...(sentences === null ? {} : { prepare: (chunk, first) => sentences.prepare(chunk, first) }),
    advance: (chunk, row, buffers) => advanceCall(chunk, row, buffers, { features, sentences }),
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
    ...(summary === null && !scores
      ? {}
      : {
          close(shard, end, lines) {
            const found = summary?.close(endedCall(shard, end, places.summary)) ?? null;
            if (found !== null) lines.push(found.line);
            if (!scores || end.by === null) return;
            const told = { rating: ratingOf(end.by), dissatisfied: found?.dissatisfied ?? null };
            for (const settled of settleCall(told, end.state, places.scores))
              lines.push(
                scoreLine({ ...end.by, shard, model: settled.of === 'summary' ? summaryName : model }, settled),
              );
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

/** Null: the model reads none. */
function callSentencesOf({ model, sentenceEncoder }: CallStreamOptions): CallSentences | null {
  if (sentenceEncoder === undefined && model?.spec.sentenceEncoder === undefined) return null;
  const spec = model?.spec ?? { name: '' };
  if (sentenceEncoder !== undefined) {
    assertSentenceEncoder(spec, sentenceEncoder);
    return createCallSentences(sentenceEncoder);
  }
  const missing = async (): Promise<never[]> => {
    assertSentenceEncoder(spec, undefined);
    return [];
  };
  return createCallSentences({ encode: missing });
}

function advanceCall(
  chunk: Chunk,
  row: number,
  buffers: RowBuffers,
  { features, sentences }: { readonly features: CallFeatures; readonly sentences: CallSentences | null },
): RowAction {
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
    sentence: sentences?.of(chunk, row) ?? null,
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

/** Whether the row is a turn that the call has taken: a producer that sends again what may have been lost, or a recogniser that corrects itself. */
function repeatsTurn(chunk: Chunk, row: number, state: Float64Array, s: number): boolean {
  return isFinal(chunk, row) && isTakenTurn(chunk, row, state, s + S.turns);
}
