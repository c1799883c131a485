import { mulberry32 } from '@tideline/streams';

/** Every choice of a simulation comes from one of these: the same seed makes the same choices. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    // Neighbouring seeds differ little in mulberry32's first number.
    this.#random();
    this.#random();
  }

  /** Uniform in [0, 1). */
  number(): number {
    return this.#random();
  }

  /** True with probability `p`. */
  is(p: number): boolean {
    return this.#random() < p;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)];
  }

  /** Between `least` and `most`, every order of magnitude as likely as another. */
  magnitude(least: number, most: number): number {
    return least * (most / least) ** this.#random();
  }

  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i -= 1) {
      const j = this.whole(0, i);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  }
}
