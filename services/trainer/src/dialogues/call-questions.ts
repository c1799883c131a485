/** What a model of calls can be asked, as far as people labelled it. */
import { CALL_CLASSES, ESCALATION_TURNS, SATISFACTION_CLASSES, YES_NO } from '@tideline/streams';
import type { Question } from './call-model.ts';
import { type ClassTarget, certain } from './class-loss.ts';
import type { LabelledCall } from './labelled-calls.ts';

/** A question of fewer labelled turns is not asked. */
export const LABELS_MIN = 50;
/** Emotions beyond these, the rarest, are not told. */
const EMOTIONS_MAX = 20;
const SMOOTHING = 0.05;

/** The questions that enough turns of these calls have a label for. */
export function questionsOf(calls: readonly LabelledCall[]): Question[] {
  const emotions = emotionsOf(calls);
  const all: Question[] = [
    {
      ...{ name: 'sentiment', classes: CALL_CLASSES, smoothing: SMOOTHING },
      targetsOf: (call) => labelsOf(call as LabelledCall).map((c) => classTarget(c, CALL_CLASSES.length)),
    },
    {
      ...{ name: 'emotion', classes: emotions, smoothing: SMOOTHING },
      targetsOf: (call) =>
        (call as LabelledCall).emotion.map((name) =>
          classTarget(name === null ? null : emotions.indexOf(name), emotions.length),
        ),
    },
    {
      ...{ name: 'escalation', classes: YES_NO, weight: 0.2 },
      targetsOf: (call) => turnsNegative(labelsOf(call as LabelledCall)).map((comes) => classTarget(comes, 2)),
    },
    { name: 'satisfaction', classes: SATISFACTION_CLASSES, targetsOf: (call) => nextRatings(call as LabelledCall) },
    {
      ...{ name: 'call_satisfaction', classes: SATISFACTION_CLASSES, weight: 0.3 },
      targetsOf: (call) => call.turns.map(() => (call as LabelledCall).whole),
    },
  ];
  return all.filter(
    ({ classes, targetsOf }) => classes.length > 1 && calls.flatMap(targetsOf).filter(Boolean).length >= LABELS_MIN,
  );
}

const labelsOf = ({ sentiment }: LabelledCall): readonly (number | null)[] => sentiment;

function classTarget(value: number | boolean | null, count: number): ClassTarget {
  return value === null || value === -1 ? null : certain(Number(value), count);
}

function emotionsOf(calls: readonly LabelledCall[]): string[] {
  const counts = new Map<string, number>();
  for (const { emotion } of calls)
    for (const name of emotion) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return byCount.slice(0, EMOTIONS_MAX).map(([name]) => name);
}

/** Of each turn: whether one of the next is negative; null where the call ends before they are said, or one of them has no label. */
export function turnsNegative(sentiment: readonly (number | null)[]): (boolean | null)[] {
  return sentiment.map((_, t) => {
    const next = sentiment.slice(t + 1, t + 1 + ESCALATION_TURNS);
    return next.length < ESCALATION_TURNS || next.includes(null) ? null : next.includes(0);
  });
}

/** Of each turn: how the customer rates their next one. In a call without a `customer`, whoever speaks next. */
function nextRatings({ turns, satisfaction }: LabelledCall): ClassTarget[] {
  const isAnyone = turns.every(({ speaker }) => speaker !== 'customer');
  const next: ClassTarget[] = turns.map(() => null);
  let coming: ClassTarget = null;
  for (let t = turns.length - 1; t >= 0; t -= 1) {
    next[t] = coming;
    if (isAnyone || turns[t].speaker === 'customer') coming = satisfaction[t];
  }
  return next;
}
