/**
 * Finds the states of series that the shard's watermark has passed over, a bounded part of the store at each batch. Each round looks at every state once;
 * the next begins when the watermark has gone on by another TTL. When a state is removed makes no difference to anything: its series would start anew
 * with its next record in any case.
 */

import { TIMES } from './event-times.ts';
import type { ShardStore } from './ports.ts';
import type { Shard } from './record.ts';
import { readStateHeader } from './series-state.ts';
import { type IdleRule, isPassedOver, SHARD_CLOCK_KEY } from './shard-clock.ts';

/** States looked at beside one batch. */
const STATES_MAX = 256;

export interface StoredState {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export class IdleSweep {
  #round: AsyncIterator<StoredState> | null = null;
  #roundAtMs = Number.NEGATIVE_INFINITY;

  /** Stored states that are passed over by the rule. The state may have changed since it was stored: the caller knows. */
  async look(from: { readonly store: ShardStore; readonly shard: Shard }, rule: IdleRule): Promise<StoredState[]> {
    const isDue = rule.watermarkMs - this.#roundAtMs > rule.ttlMs;
    if (this.#round === null && isDue) {
      this.#round = from.store.states(from.shard)[Symbol.asyncIterator]();
      this.#roundAtMs = rule.watermarkMs;
    }
    const found: StoredState[] = [];
    for (let looked = 0; this.#round !== null && looked < STATES_MAX; looked += 1) {
      const { done, value } = await this.#round.next();
      if (done) this.#round = null;
      else if (value.key !== SHARD_CLOCK_KEY) {
        const header = readStateHeader(value.bytes);
        if (header !== null && isPassedOver(rule, header.times[TIMES.watermarkMs])) found.push(value);
      }
    }
    return found;
  }

  /** Gives up the round under way. */
  stop(): void {
    const round = this.#round;
    this.#round = null;
    this.#roundAtMs = Number.NEGATIVE_INFINITY;
    round?.return?.()?.catch(() => undefined);
  }
}
