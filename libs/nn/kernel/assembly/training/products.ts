/**
 * The product of libs/nn/src/training/products.ts in AssemblyScript. Each output adds its terms in order, multiplied and added apart: no
 * contraction and no other order, so its bits are those of the plain loop. Eight accumulators are what V8 keeps in registers.
 */

/** Places and steps count float64 values; out[r][c] += sum over k of x[r][k] * w[k][c]. */
export function add(
  out: i32,
  outRow: i32,
  x: i32,
  xRow: i32,
  xTerm: i32,
  w: i32,
  wTerm: i32,
  rows: i32,
  columns: i32,
  depth: i32,
): void {
  const xStep = <isize>xTerm << 3;
  const wStep = <isize>wTerm << 3;
  const xNext = <isize>xRow << 3;
  const outNext = <isize>outRow << 3;
  let c = 0;
  for (; c + 8 <= columns; c += 8) {
    let xAt = <usize>x << 3;
    let outAt = <usize>(out + c) << 3;
    const wAt = <usize>(w + c) << 3;
    let r = 0;
    for (; r + 2 <= rows; r += 2) {
      add2x8(outAt, outAt + outNext, xAt, xAt + xNext, xStep, wAt, wStep, depth);
      xAt += 2 * xNext;
      outAt += 2 * outNext;
    }
    if (r < rows) add1x8(outAt, xAt, xStep, wAt, wStep, depth);
  }
  for (; c + 2 <= columns; c += 2) {
    let xAt = <usize>x << 3;
    let outAt = <usize>(out + c) << 3;
    const wAt = <usize>(w + c) << 3;
    let r = 0;
    for (; r + 4 <= rows; r += 4) {
      add4x2(outAt, outNext, xAt, xNext, xStep, wAt, wStep, depth);
      xAt += 4 * xNext;
      outAt += 4 * outNext;
    }
    for (; r < rows; r += 1) {
      add1x2(outAt, xAt, xStep, wAt, wStep, depth);
      xAt += xNext;
      outAt += outNext;
    }
  }
  if (c < columns)
    for (let r = 0; r < rows; r += 1)
      add1x1(
        <usize>(out + r * outRow + c) << 3,
        <usize>(x + r * xRow) << 3,
        xStep,
        <usize>(w + c) << 3,
        wStep,
        depth,
      );
}

@inline
function mac(sum: v128, weight: v128, value: v128): v128 {
  return f64x2.add(sum, f64x2.mul(value, weight));
}

function add2x8(outA: usize, outB: usize, xa: usize, xb: usize, xStep: isize, w: usize, wStep: isize, depth: i32): void {
  let a0 = v128.load(outA);
  let a1 = v128.load(outA, 16);
  let a2 = v128.load(outA, 32);
  let a3 = v128.load(outA, 48);
  let b0 = v128.load(outB);
  let b1 = v128.load(outB, 16);
  let b2 = v128.load(outB, 32);
  let b3 = v128.load(outB, 48);
  for (let k = 0; k < depth; k += 1) {
    const a = v128.load64_splat(xa);
    const b = v128.load64_splat(xb);
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
    xa += xStep;
    xb += xStep;
    w += wStep;
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

function add1x8(out: usize, x: usize, xStep: isize, w: usize, wStep: isize, depth: i32): void {
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  let a2 = v128.load(out, 32);
  let a3 = v128.load(out, 48);
  for (let k = 0; k < depth; k += 1) {
    const a = v128.load64_splat(x);
    a0 = mac(a0, v128.load(w), a);
    a1 = mac(a1, v128.load(w, 16), a);
    a2 = mac(a2, v128.load(w, 32), a);
    a3 = mac(a3, v128.load(w, 48), a);
    x += xStep;
    w += wStep;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

function add4x2(out: usize, outNext: isize, x: usize, xNext: isize, xStep: isize, w: usize, wStep: isize, depth: i32): void {
  const outB = out + outNext;
  const outC = outB + outNext;
  const outD = outC + outNext;
  let xb = x + xNext;
  let xc = xb + xNext;
  let xd = xc + xNext;
  let a = v128.load(out);
  let b = v128.load(outB);
  let c = v128.load(outC);
  let d = v128.load(outD);
  for (let k = 0; k < depth; k += 1) {
    const weight = v128.load(w);
    a = mac(a, weight, v128.load64_splat(x));
    b = mac(b, weight, v128.load64_splat(xb));
    c = mac(c, weight, v128.load64_splat(xc));
    d = mac(d, weight, v128.load64_splat(xd));
    x += xStep;
    xb += xStep;
    xc += xStep;
    xd += xStep;
    w += wStep;
  }
  v128.store(out, a);
  v128.store(outB, b);
  v128.store(outC, c);
  v128.store(outD, d);
}

function add1x2(out: usize, x: usize, xStep: isize, w: usize, wStep: isize, depth: i32): void {
  let sum = v128.load(out);
  for (let k = 0; k < depth; k += 1) {
    sum = mac(sum, v128.load(w), v128.load64_splat(x));
    x += xStep;
    w += wStep;
  }
  v128.store(out, sum);
}

function add1x1(out: usize, x: usize, xStep: isize, w: usize, wStep: isize, depth: i32): void {
  let sum = load<f64>(out);
  for (let k = 0; k < depth; k += 1) {
    sum += load<f64>(x) * load<f64>(w);
    x += xStep;
    w += wStep;
  }
  store<f64>(out, sum);
}
