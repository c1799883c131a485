/**
 * The arithmetic of the chain workload: a state whose bits show every input, its multiplicity and its order. All values are whole numbers
 * below 2^24, so that float32 holds them exactly. The oracle has its own copy of the rules that use it.
 */

export const CHAIN_MOD = 1 << 24;

/** One link: neither commutative nor idempotent. */
export function link(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ 0x5bd1e995, 0x01000193) ^ Math.imul(value + 0x7f4a7c15, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & (CHAIN_MOD - 1);
}
