/**
 * Seeded uniform numbers in [0, 1) whose state is one number, so that a checkpoint can keep it: mulberry32 (T. Ettinger, public domain), the
 * generator of libs/streams. `stream` makes generators of one seed that do not share their numbers.
 */
export class SeededRandom {
  /** uint32 */
  state: number;

  constructor(seed: number, stream = 0) {
    this.state = (seed ^ Math.imul(stream, 0x9e3779b1)) >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** The items in another order. Fisher-Yates. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = Math.floor(this.next() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
