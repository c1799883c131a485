/**
 * What a call model answers. A model whose head has groups of classes is read by their names; each group is there only where the model was trained for it.
 * Without groups it is the small model that ships: logits of negative, neutral and positive, then the logit of `escalation`.
 */
import { type ClassPlaces, classGroupsOf, type ModelSpec } from '@tideline/nn';

export const CALL_CLASSES = ['negative', 'neutral', 'positive'] as const;
/** From 1, very dissatisfied, to 5, very satisfied. */
export const SATISFACTION_CLASSES = ['1', '2', '3', '4', '5'] as const;
export const YES_NO = ['no', 'yes'] as const;
/** `escalation` of a model with groups: whether one of so many next turns is negative. */
export const ESCALATION_TURNS = 3;

/**
 * The questions that a call model may answer at each utterance: about it, `sentiment` and `emotion` (any classes); about what comes, `escalation` (does the
 * call turn negative soon: the customer's next utterance, or one of the next n, as the model's card says), `satisfaction` (the customer's at their next
 * turn) and `call_satisfaction` (with the whole call).
 */
export const CALL_GROUPS = ['sentiment', 'emotion', 'escalation', 'satisfaction', 'call_satisfaction'] as const;
export type CallGroup = (typeof CALL_GROUPS)[number];

export interface CallProbabilities {
  /** The three sum to 1. Null: the model does not say. */
  readonly sentiment: readonly [negative: number, neutral: number, positive: number] | null;
  readonly emotion: { readonly name: string; readonly probability: number } | null;
  /** Probability that the call turns negative. */
  readonly escalation: number | null;
  /** Expected rating, 1 to 5, and the probability of a rating below 3. */
  readonly satisfaction: Satisfaction | null;
  readonly callSatisfaction: Satisfaction | null;
}

export interface Satisfaction {
  readonly expected: number;
  readonly dissatisfied: number;
}

export type CallReader = (outputs: ArrayLike<number>, at: number) => CallProbabilities;

const LEGACY_SIZE = 4;

/** Outputs of the model of a spec; the small model's where there is none. */
export function callOutputSizeOf(spec: Pick<ModelSpec, 'outputSize'> | undefined): number {
  return spec?.outputSize ?? LEGACY_SIZE;
}

/** Reads the outputs of a model of this spec. */
export function callReaderOf(spec: Pick<ModelSpec, 'head' | 'outputSize'> | undefined): CallReader {
  const groups = spec === undefined ? [] : classGroupsOf(spec);
  if (groups.length === 0) return readLegacy;
  const place = (name: CallGroup): ClassPlaces | null => groups.find((group) => group.name === name) ?? null;
  const [sentiment, emotion, escalation, satisfaction, whole] = CALL_GROUPS.map(place);
  return (outputs, at) => {
    const shares = (group: ClassPlaces): number[] => softmax(outputs, at + group.from, group.count);
    const rating = (group: ClassPlaces | null): Satisfaction | null => (group ? satisfactionOf(shares(group)) : null);
    const [negative, neutral, positive] = sentiment ? shares(sentiment) : [];
    return {
      sentiment: sentiment ? [negative, neutral, positive] : null,
      emotion: emotion ? likeliest(emotion.classes, shares(emotion)) : null,
      escalation: escalation ? shares(escalation)[1] : null,
      satisfaction: rating(satisfaction),
      callSatisfaction: rating(whole),
    };
  };
}

function readLegacy(outputs: ArrayLike<number>, at: number): CallProbabilities {
  const [negative, neutral, positive] = softmax(outputs, at, 3);
  return {
    sentiment: [negative, neutral, positive],
    escalation: 1 / (1 + Math.exp(-outputs[at + 3])),
    ...{ emotion: null, satisfaction: null, callSatisfaction: null },
  };
}

function satisfactionOf(shares: readonly number[]): Satisfaction {
  return {
    expected: shares.reduce((sum, share, i) => sum + share * (i + 1), 0),
    dissatisfied: shares[0] + shares[1],
  };
}

function likeliest(classes: readonly string[], shares: readonly number[]): { name: string; probability: number } {
  const probability = Math.max(...shares);
  return { name: classes[shares.indexOf(probability)], probability };
}

/** What a row of training should have given. */
export interface CallLabel {
  /** Index in CALL_CLASSES. */
  readonly sentiment: number;
  /** Whether the customer's next utterance was negative; null where there was none. */
  readonly escalates: boolean | null;
}

/** VADER's usual thresholds on the compound score. */
export function sentimentClass(compound: number): number {
  return compound <= -0.05 ? 0 : compound >= 0.05 ? 2 : 1;
}

/** Cross-entropy of the class plus binary cross-entropy of the escalation, with the gradient with respect to the small model's raw outputs. */
export function callLoss(outputs: ArrayLike<number>, label: CallLabel, gradient: { [index: number]: number }): number {
  const p = softmax(outputs, 0, 3);
  p.forEach((value, i) => {
    gradient[i] = value - (i === label.sentiment ? 1 : 0);
  });
  const loss = -Math.log(Math.max(p[label.sentiment], 1e-12));
  gradient[3] = 0;
  if (label.escalates === null) return loss;
  const e = 1 / (1 + Math.exp(-outputs[3]));
  gradient[3] = e - (label.escalates ? 1 : 0);
  return loss - Math.log(Math.max(label.escalates ? e : 1 - e, 1e-12));
}

function softmax(outputs: ArrayLike<number>, at: number, count: number): number[] {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i += 1) max = Math.max(max, outputs[at + i]);
  const shares: number[] = [];
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    shares.push(Math.exp(outputs[at + i] - max));
    sum += shares[i];
  }
  return shares.map((share) => share / sum);
}
