// tanh on [-CLAMP, CLAMP] as a rational function (the coefficients of Eigen's generic tanh); beyond the clamp float32's tanh is 1 within the same error.
const CLAMP: f32 = 7.90531110763549805;
const A1: f32 = 4.89352455891786e-3;
const A3: f32 = 6.37261928875436e-4;
const A5: f32 = 1.48572235717979e-5;
const A7: f32 = 5.12229709037114e-8;
const A9: f32 = -8.60467152213735e-11;
const A11: f32 = 2.00018790482477e-13;
const A13: f32 = -2.76076847742355e-16;
const B0: f32 = 4.89352518554385e-3;
const B2: f32 = 2.268434632439e-3;
const B4: f32 = 1.18534705686654e-4;
const B6: f32 = 1.19825839466702e-6;

/** sum + weight * value, each rounded on its own: never one fused operation, so that every machine has the same bits. */
@inline
export function mac(sum: v128, weight: v128, value: v128): v128 {
  return f32x4.add(sum, f32x4.mul(weight, value));
}

/** tanh of 4 lanes. A NaN stays a NaN: `pmin(a, b)` is a where the comparison is false. */
@inline
export function tanh4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, f32x4.splat(CLAMP)), f32x4.splat(-CLAMP));
  const s = f32x4.mul(x, x);
  let p = mac(f32x4.splat(A11), s, f32x4.splat(A13));
  p = mac(f32x4.splat(A9), s, p);
  p = mac(f32x4.splat(A7), s, p);
  p = mac(f32x4.splat(A5), s, p);
  p = mac(f32x4.splat(A3), s, p);
  p = mac(f32x4.splat(A1), s, p);
  let q = mac(f32x4.splat(B4), s, f32x4.splat(B6));
  q = mac(f32x4.splat(B2), s, q);
  q = mac(f32x4.splat(B0), s, q);
  return f32x4.div(f32x4.mul(x, p), q);
}

/** 1 / (1 + e^-x) = 0.5 + 0.5 tanh(x / 2). */
@inline
export function sigmoid4(x: v128): v128 {
  const half = f32x4.splat(0.5);
  return mac(half, half, tanh4(f32x4.mul(x, half)));
}
