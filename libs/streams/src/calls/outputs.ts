/** The call model's outputs: logits of negative, neutral and positive, then the logit of `escalation`. */

export const CALL_CLASSES = ['negative', 'neutral', 'positive'] as const;

export interface CallProbabilities {
  /** The three sum to 1. */
  readonly negative: number;
  readonly neutral: number;
  readonly positive: number;
  /** Probability that the customer's next utterance is negative. */
  readonly escalation: number;
}

export function callProbabilities(outputs: ArrayLike<number>, at: number): CallProbabilities {
  const [negative, neutral, positive] = softmax(outputs, at);
  return { negative, neutral, positive, escalation: 1 / (1 + Math.exp(-outputs[at + 3])) };
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

/** Cross-entropy of the class plus binary cross-entropy of the escalation, with the gradient with respect to the raw outputs. */
export function callLoss(outputs: ArrayLike<number>, label: CallLabel, gradient: { [index: number]: number }): number {
  const p = softmax(outputs, 0);
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

function softmax(outputs: ArrayLike<number>, at: number): [number, number, number] {
  const max = Math.max(outputs[at], outputs[at + 1], outputs[at + 2]);
  const a = Math.exp(outputs[at] - max);
  const b = Math.exp(outputs[at + 1] - max);
  const c = Math.exp(outputs[at + 2] - max);
  const sum = a + b + c;
  return [a / sum, b / sum, c / sum];
}
