import { mac } from './activations';

/**
 * Weighted sums of 16 places (4 vectors): start + sum over k of x[k] * w[k] then of h[k] * w[xn + k], in this order.
 * A weight row is 16 floats (64 bytes); out may be start. Two rows go together: 8 accumulators are what V8 keeps in registers.
 */
export function sums16x2(
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
  let a3 = v128.load(startA, 48);
  let b0 = v128.load(startB);
  let b1 = v128.load(startB, 16);
  let b2 = v128.load(startB, 32);
  let b3 = v128.load(startB, 48);
  let va = xa;
  let vb = xb;
  let end = xa + usize(xn) * 4;
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
      const w3 = v128.load(w, 48);
      a3 = mac(a3, w3, a);
      b3 = mac(b3, w3, b);
      w += 64;
      va += 4;
      vb += 4;
    }
    va = ha;
    vb = hb;
    end = ha + usize(hn) * 4;
  }
  v128.store(outA, a0);
  v128.store(outA, a1, 16);
  v128.store(outA, a2, 32);
  v128.store(outA, a3, 48);
  v128.store(outB, b0);
  v128.store(outB, b1, 16);
  v128.store(outB, b2, 32);
  v128.store(outB, b3, 48);
}

/** The same for one row. Two k go together: more of them, or two blocks, and V8 loads early and spills. */
export function sums16x1(start: usize, w: usize, x: usize, xn: i32, h: usize, hn: i32, out: usize): void {
  let a0 = v128.load(start);
  let a1 = v128.load(start, 16);
  let a2 = v128.load(start, 32);
  let a3 = v128.load(start, 48);
  let v = x;
  let end = x + usize(xn) * 4;
  for (let pass = 0; pass < 2; pass += 1) {
    while (v + 4 < end) {
      const value0 = v128.load32_splat(v, 0);
      a0 = mac(a0, v128.load(w, 0), value0);
      a1 = mac(a1, v128.load(w, 16), value0);
      a2 = mac(a2, v128.load(w, 32), value0);
      a3 = mac(a3, v128.load(w, 48), value0);
      const value1 = v128.load32_splat(v, 4);
      a0 = mac(a0, v128.load(w, 64), value1);
      a1 = mac(a1, v128.load(w, 80), value1);
      a2 = mac(a2, v128.load(w, 96), value1);
      a3 = mac(a3, v128.load(w, 112), value1);
      w += 128;
      v += 8;
    }
    if (v < end) {
      const value0 = v128.load32_splat(v, 0);
      a0 = mac(a0, v128.load(w, 0), value0);
      a1 = mac(a1, v128.load(w, 16), value0);
      a2 = mac(a2, v128.load(w, 32), value0);
      a3 = mac(a3, v128.load(w, 48), value0);
      w += 64;
    }
    v = h;
    end = h + usize(hn) * 4;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}
