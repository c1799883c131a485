import { mac, sigmoid4, tanh4 } from './activations';

/**
 * 4 units of an LSTM from the sums of its gates i, f, g, o: c = f * c + i * g (in place), out = o * tanh(c). With `peephole` (not 0) the gates also see c:
 * i and f the old one, o the new one, by the diagonal weights [i][f][o] of `hidden` floats each (Gers and Schmidhuber 2000).
 */
@inline
export function lstmGates(sums: usize, c: usize, out: usize, peephole: usize, hidden: i32): void {
  let i = v128.load(sums);
  let f = v128.load(sums, 16);
  let o = v128.load(sums, 48);
  const old = v128.load(c);
  const stride = usize(hidden) * 4;
  if (peephole !== 0) {
    i = mac(i, v128.load(peephole), old);
    f = mac(f, v128.load(peephole + stride), old);
  }
  const next = f32x4.add(f32x4.mul(sigmoid4(f), old), f32x4.mul(sigmoid4(i), tanh4(v128.load(sums, 32))));
  if (peephole !== 0) o = mac(o, v128.load(peephole + 2 * stride), next);
  v128.store(c, next);
  v128.store(out, f32x4.mul(sigmoid4(o), tanh4(next)));
}

/** 4 units of a GRU, reset after the product, from its sums r, z, n of x, n of h: n = tanh(nx + r * nh), out = (1 - z) * n + z * h. */
@inline
export function gruGates(sums: usize, h: usize, out: usize): void {
  const n = tanh4(mac(v128.load(sums, 32), sigmoid4(v128.load(sums)), v128.load(sums, 48)));
  const z = sigmoid4(v128.load(sums, 16));
  v128.store(out, f32x4.add(f32x4.mul(f32x4.sub(f32x4.splat(1), z), n), f32x4.mul(z, v128.load(h))));
}
