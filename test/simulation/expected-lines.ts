/**
 * What must come of each shard, if its model is changed in the middle. The position of the change is whatever its first durable checkpoint says; from then
 * on all else is decided: records below it belong to the first model, every other one to the second, whose series begin anew there. Points of the first
 * model beyond it are right, too (its forecasters may go on until they hear of it), but none must be there.
 */
import type { ChangedExpectation, Expectation, ShardExpectation } from './expectation.ts';

export class ExpectedLines {
  readonly first: Expectation;
  readonly #expectChanged: (shard: string, from: number) => ChangedExpectation;
  readonly #changes = new Map<string, ChangedExpectation>();

  constructor(first: Expectation, expectChanged: (shard: string, from: number) => ChangedExpectation) {
    this.first = first;
    this.#expectChanged = expectChanged;
  }

  /** A checkpoint of `model` is durable. True where it is the first of the second model. */
  decide(shard: string, position: number, model: string): boolean {
    if (this.#changes.has(shard)) return false;
    const change = this.#expectChanged(shard, position);
    if (change.digest !== model) return false;
    this.#changes.set(shard, change);
    return true;
  }

  hasChanged(shard: string): boolean {
    return this.#changes.has(shard);
  }

  /** The shard as a store with this model has it. */
  of(shard: string, model: string): ShardExpectation | undefined {
    const change = this.#changes.get(shard);
    return change?.digest === model ? change.shard : this.first.shards.get(shard);
  }

  /** Fields of a point that may be written, by either model: not every measurement has the model in its tags. None: there is no such point. */
  fieldsOf(identity: string): string[] {
    return [this.first, ...this.#changes.values()].flatMap(({ points }) => points.get(identity) ?? []);
  }

  /** Points of the shard's records in [from, to) that a store with this model, standing at `to`, stands for. */
  pointsOf(shard: string, model: string, from: number, to: number): string[] {
    const change = this.#changes.get(shard);
    const begins = change?.digest === model ? change.from : Number.POSITIVE_INFINITY;
    const identities = (line: ShardExpectation | undefined, low: number, high: number): string[] =>
      (line?.points ?? []).filter(({ offset }) => offset >= low && offset < high).map(({ identity }) => identity);
    return [
      ...identities(this.first.shards.get(shard), from, Math.min(to, begins)),
      ...identities(change?.shard, Math.max(from, begins), to),
    ];
  }

  /** Every point that must be there in the end, with its fields. */
  required(): Map<string, string> {
    const required = new Map<string, string>();
    for (const [shard, line] of this.first.shards) {
      const change = this.#changes.get(shard);
      for (const { offset, identity } of line.points)
        if (offset < (change?.from ?? Number.POSITIVE_INFINITY))
          required.set(identity, this.first.points.get(identity) ?? '');
      for (const { identity } of change?.shard.points ?? []) required.set(identity, change?.points.get(identity) ?? '');
    }
    return required;
  }
}
