import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaErrorType } from './kafka-errors.ts';

const PAUSE_MS = 100;
const SETTLING_MS_MAX = 15_000;

/** Answers of a broker that does not know yet who leads a partition: it has just been made, or its leader has just changed. */
const LEADER_UNKNOWN: ReadonlySet<string> = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
]);
/** Answers about a topic that was made a moment ago. */
const TOPIC_UNKNOWN: ReadonlySet<string> = new Set([...LEADER_UNKNOWN, 'UNKNOWN_TOPIC_OR_PARTITION']);

/** Does `work` again while the cluster settles, SETTLING_MS_MAX at most. `isNew`: the topics have just been made, so that not to know them is passing too. */
export async function whileSettling<T>(work: () => Promise<T>, { isNew }: { readonly isNew: boolean }): Promise<T> {
  const deadline = Date.now() + SETTLING_MS_MAX;
  const passing = isNew ? TOPIC_UNKNOWN : LEADER_UNKNOWN;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!passing.has(kafkaErrorType(error)) || Date.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
