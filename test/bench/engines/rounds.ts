/**
 * Paired timing on a machine that others use too. In every round each contestant gets one short slice, and the order turns from round to round, so
 * that a disturbance meets all of them. Rates are by processor time, which leaves out what others took. What is compared is the ratio within one
 * round; what is reported is the median of the rounds' ratios.
 */
import { ContestantError } from './contestant-process.ts';
import type { Sliced, SliceRequest } from './protocol.ts';

/** Who can be given a slice. */
export interface Sliceable {
  readonly name: string;
  slice(request: SliceRequest): Promise<Sliced>;
}

export interface RoundOptions<Beside> {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly callsMin: number;
  readonly each: boolean;
  /** No further round begins after so long a time, once there were ROUNDS_MIN. */
  readonly budgetMs: number;
  /** A contestant one call of which takes longer than this is heard only every SLOW_EVERY-th round. */
  readonly slowMs: number;
  /** Measured in every round beside the contestants: the machine's limits. */
  readonly beside: () => Promise<Beside>;
}

/** One slice's result in its round. */
export interface Sample extends Sliced {
  readonly name: string;
  readonly round: number;
}

export interface Rounds<Beside> {
  readonly samples: readonly Sample[];
  /** What `beside` gave, by round. */
  readonly beside: readonly Beside[];
  /** Who failed on the way: its samples are not there, and no further slice was given to it. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

const SLOW_EVERY = 4;
const ROUNDS_MIN = 5;

export async function runRounds<Beside>(
  contestants: readonly Sliceable[],
  options: RoundOptions<Beside>,
): Promise<Rounds<Beside>> {
  const samples: Sample[] = [];
  const failed = new Map<string, string>();
  const beside: Beside[] = [];
  const slow = new Set<string>();
  const { sliceMs, callsMin, each } = options;
  const start = performance.now();
  for (let round = 0; round < options.rounds; round += 1) {
    if (round >= ROUNDS_MIN && performance.now() - start > options.budgetMs) break;
    beside.push(await options.beside());
    for (const contestant of turned(contestants, round)) {
      const { name } = contestant;
      if (failed.has(name) || (slow.has(name) && round % SLOW_EVERY !== 0)) continue;
      try {
        const sliced = await contestant.slice({ do: 'slice', ms: sliceMs, warmMs: sliceMs / 4, callsMin, each });
        samples.push({ ...sliced, name, round });
        if (sliced.ns / sliced.calls > options.slowMs * 1e6) slow.add(name);
      } catch (error) {
        if (!(error instanceof ContestantError)) throw error;
        failed.set(name, error.message);
      }
    }
  }
  return {
    samples: samples.filter(({ name }) => !failed.has(name)),
    beside,
    failed: [...failed].map(([name, why]) => ({ name, why })),
  };
}

/** Every second round goes backwards, then another one begins: nobody always follows the same one. */
function turned<Item>(items: readonly Item[], round: number): Item[] {
  const first = Math.floor(round / 2) % Math.max(1, items.length);
  const order = [...items.slice(first), ...items.slice(0, first)];
  return round % 2 === 0 ? order : order.toReversed();
}
