/** The network that reads a call that is over, in both directions, and how much each turn weighed in what it says. */
import {
  classGroupsOf,
  createLeaveOneOut,
  createSequenceModel,
  createSimdEngine,
  leavesOneOut,
  type Model,
  type ModelSpec,
  type SequenceModel,
} from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { CALL_CLASSES, SATISFACTION_CLASSES } from './outputs.ts';
import { SUMMARY_INPUTS, SUMMARY_TURNS_MAX } from './summary-state.ts';

export const SUMMARY_MODEL = 'calls-summary';

/** What the network at the end answers: how the call ended, and the rating of the whole call. */
export const SUMMARY_GROUPS = [
  { name: 'sentiment', classes: CALL_CLASSES },
  { name: 'satisfaction', classes: SATISFACTION_CLASSES },
] as const;

export interface SummaryAnswer {
  readonly sentiment: readonly [negative: number, neutral: number, positive: number];
  /** Positive minus negative. */
  readonly score: number;
  /** Expected rating, 1 to 5, and the probability of 1 or 2. */
  readonly satisfaction: number;
  readonly dissatisfied: number;
}

export interface ReadCall extends SummaryAnswer {
  /** Of each turn read: the score with it minus the score without it. */
  readonly effects: readonly number[];
}

/** Reads inputs [turns][SUMMARY_INPUTS], one turn at least. */
export type CallEndReader = (inputs: Float32Array) => ReadCall;

/** The shape of a model of call ends. */
export function summarySpec(hiddenSize: number): ModelSpec {
  return {
    ...{ name: SUMMARY_MODEL, cell: 'lstm', inputSize: SUMMARY_INPUTS, hiddenSize, layers: 1, bidirectional: true },
    outputSize: CALL_CLASSES.length + SATISFACTION_CLASSES.length,
    head: { kind: 'classes', scope: 'sequence', groups: SUMMARY_GROUPS },
  };
}

/**
 * A turn's effect is what the score loses when the turn is left out and the rest is read again (occlusion: M. Zeiler, R. Fergus, "Visualizing and Understanding
 * Convolutional Networks", 2014; J. Li et al., "Understanding Neural Networks through Representation Erasure", 2016). Throws ConfigError where the model is
 * none of call ends.
 */
export function createCallEndReader(model: Model): CallEndReader {
  assertSummaryModel(model.spec);
  const network = createSequenceModel(model, { engine: createSimdEngine });
  const without = leavesOneOut(model.spec)
    ? createLeaveOneOut(model, { engine: createSimdEngine, stepsMax: SUMMARY_TURNS_MAX })
    : copyByCopy(network);
  return (inputs) => {
    const turns = inputs.length / SUMMARY_INPUTS;
    const whole = answerOf(network.runNow(inputs).outputs);
    // A call of one turn has nothing without it.
    if (turns === 1) return { ...whole, effects: [whole.score] };
    const rest = without(inputs);
    const size = rest.length / turns;
    const effects = Array.from(
      { length: turns },
      (_, turn) => whole.score - answerOf(rest.subarray(turn * size, (turn + 1) * size)).score,
    );
    return { ...whole, effects };
  };
}

/** As LeaveOneOut answers, for a model of any shape. */
function copyByCopy(network: SequenceModel): (inputs: Float32Array) => Float32Array {
  const { outputSize } = network.model.spec;
  return (inputs) => {
    const turns = inputs.length / SUMMARY_INPUTS;
    const rest = new Float32Array(turns * outputSize);
    for (let turn = 0; turn < turns; turn += 1)
      rest.set(network.runNow(withoutTurn(inputs, turn)).outputs, turn * outputSize);
    return rest;
  };
}

function answerOf(outputs: Float32Array): SummaryAnswer {
  const [negative, neutral, positive, ...ratings] = outputs;
  return {
    sentiment: [negative, neutral, positive],
    score: positive - negative,
    satisfaction: ratings.reduce((sum, share, i) => sum + share * (i + 1), 0),
    dissatisfied: ratings[0] + ratings[1],
  };
}

function withoutTurn(inputs: Float32Array, turn: number): Float32Array {
  const rest = new Float32Array(inputs.length - SUMMARY_INPUTS);
  rest.set(inputs.subarray(0, turn * SUMMARY_INPUTS));
  rest.set(inputs.subarray((turn + 1) * SUMMARY_INPUTS), turn * SUMMARY_INPUTS);
  return rest;
}

function assertSummaryModel(spec: ModelSpec): void {
  const found = JSON.stringify(classGroupsOf(spec).map(({ name, classes }) => [name, classes]));
  const expected = JSON.stringify(SUMMARY_GROUPS.map(({ name, classes }) => [name, classes]));
  const isOne = spec.head?.scope === 'sequence' && found === expected && spec.inputSize === SUMMARY_INPUTS;
  if (!isOne)
    throw new ConfigError([
      `Model '${spec.name}' does not read the ends of calls: train one with 'tideline train ${SUMMARY_MODEL}', or leave 'summary' out of the points of calls.`,
    ]);
}
