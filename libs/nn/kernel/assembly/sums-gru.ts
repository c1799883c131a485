import { mac } from './activations';

/**
 * A GRU's sums, reset after the product: places r, z, n of x and n of h, 4 units each. Both parts add to r and z; x adds to the third place, h to the fourth.
 * A weight row is 12 floats (48 bytes); start and out are 16 floats; out may be start.
 */
export function gruSums2(
  startA: usize,
  startB: usize,
  w: usize,
  xa: usize,
  xb: usize,
  xn: i32,
  ha: usize,
  hb: usize,
  hn: i32,
  outA: usize,
  outB: usize,
): void {
  let a0 = v128.load(startA);
  let a1 = v128.load(startA, 16);
  let a2 = v128.load(startA, 32);
  let b0 = v128.load(startB);
  let b1 = v128.load(startB, 16);
  let b2 = v128.load(startB, 32);
  let va = xa;
  let vb = xb;
  let end = xa + usize(xn) * 4;
  let candidateA = v128.load(startA, 48);
  let candidateB = v128.load(startB, 48);
  for (let pass = 0; pass < 2; pass += 1) {
    while (va < end) {
      const a = v128.load32_splat(va);
      const b = v128.load32_splat(vb);
      const w0 = v128.load(w);
      a0 = mac(a0, w0, a);
      b0 = mac(b0, w0, b);
      const w1 = v128.load(w, 16);
      a1 = mac(a1, w1, a);
      b1 = mac(b1, w1, b);
      const w2 = v128.load(w, 32);
      a2 = mac(a2, w2, a);
      b2 = mac(b2, w2, b);
      w += 48;
      va += 4;
      vb += 4;
    }
    // The third accumulator is x's candidate in the first pass and h's in the second.
    const doneA = a2;
    const doneB = b2;
    a2 = candidateA;
    b2 = candidateB;
    candidateA = doneA;
    candidateB = doneB;
    va = ha;
    vb = hb;
    end = ha + usize(hn) * 4;
  }
  v128.store(outA, a0);
  v128.store(outA, a1, 16);
  v128.store(outA, a2, 32);
  v128.store(outA, candidateA, 48);
  v128.store(outB, b0);
  v128.store(outB, b1, 16);
  v128.store(outB, b2, 32);
  v128.store(outB, candidateB, 48);
}

/** The same for one row. */
export function gruSums1(start: usize, w: usize, x: usize, xn: i32, h: usize, hn: i32, out: usize): void {
  let a0 = v128.load(start);
  let a1 = v128.load(start, 16);
  let a2 = v128.load(start, 32);
  let candidate = v128.load(start, 48);
  let v = x;
  let end = x + usize(xn) * 4;
  for (let pass = 0; pass < 2; pass += 1) {
    while (v + 4 < end) {
      const value0 = v128.load32_splat(v, 0);
      a0 = mac(a0, v128.load(w, 0), value0);
      a1 = mac(a1, v128.load(w, 16), value0);
      a2 = mac(a2, v128.load(w, 32), value0);
      const value1 = v128.load32_splat(v, 4);
      a0 = mac(a0, v128.load(w, 48), value1);
      a1 = mac(a1, v128.load(w, 64), value1);
      a2 = mac(a2, v128.load(w, 80), value1);
      w += 96;
      v += 8;
    }
    if (v < end) {
      const value0 = v128.load32_splat(v, 0);
      a0 = mac(a0, v128.load(w, 0), value0);
      a1 = mac(a1, v128.load(w, 16), value0);
      a2 = mac(a2, v128.load(w, 32), value0);
      w += 48;
    }
    const done = a2;
    a2 = candidate;
    candidate = done;
    v = h;
    end = h + usize(hn) * 4;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, candidate, 48);
}
