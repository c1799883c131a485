import { sigmoid4, tanh4 } from './activations';
import { gruGates, lstmGates } from './gates';
import { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_TANH } from './program';
import { sums16x1, sums16x2 } from './sums';
import { gruSums1, gruSums2 } from './sums-gru';

/** Each row is named by 16 bytes of pointers: x, h, c, out. */
@inline
const ROW: usize = 16;

/** Sums of one block for all rows into `sums` [n][16 floats]. */
function lstmBlock(w: usize, rows: usize, n: i32, width: i32, hidden: i32, sums: usize): void {
  const first = w + 64;
  let row = rows;
  for (let i = 0; i + 1 < n; i += 2) {
    const xa = usize(load<u32>(row));
    const xb = usize(load<u32>(row + ROW));
    sums16x2(w, w, first, xa, xb, width, usize(load<u32>(row, 4)), usize(load<u32>(row + ROW, 4)), hidden, sums, sums + 64);
    row += 2 * ROW;
    sums += 128;
  }
  if (n & 1) sums16x1(w, first, usize(load<u32>(row)), width, usize(load<u32>(row, 4)), hidden, sums);
}

function gruBlock(w: usize, rows: usize, n: i32, width: i32, hidden: i32, sums: usize): void {
  const first = w + 64;
  let row = rows;
  for (let i = 0; i + 1 < n; i += 2) {
    const xa = usize(load<u32>(row));
    const xb = usize(load<u32>(row + ROW));
    gruSums2(w, w, first, xa, xb, width, usize(load<u32>(row, 4)), usize(load<u32>(row + ROW, 4)), hidden, sums, sums + 64);
    row += 2 * ROW;
    sums += 128;
  }
  if (n & 1) gruSums1(w, first, usize(load<u32>(row)), width, usize(load<u32>(row, 4)), hidden, sums);
}

/** The sums of all blocks of one row into `sums` [blocks][16 floats]. */
function lone(gru: bool, w: usize, row: usize, width: i32, hidden: i32, sums: usize): void {
  const blockBytes = usize(64 + (width + hidden) * (gru ? 48 : 64));
  const x = usize(load<u32>(row));
  const h = usize(load<u32>(row, 4));
  for (let block = 0; block < hidden; block += 4) {
    if (gru) gruSums1(w, w + 64, x, width, h, hidden, sums);
    else sums16x1(w, w + 64, x, width, h, hidden, sums);
    w += blockBytes;
    sums += 64;
  }
}

/** One LSTM (or GRU) layer for n rows: c in place, the new h to each row's `out`. `sums` is scratch, [max(n, hidden / 4)][16 floats]. */
export function gatedLayer(gru: bool, weights: usize, rows: usize, n: i32, width: i32, hidden: i32, peephole: usize, sums: usize): void {
  const blockBytes = usize(64 + (width + hidden) * (gru ? 48 : 64));
  const blocks = hidden >> 2;
  if (n === 1) {
    lone(gru, weights, rows, width, hidden, sums);
    gatesOfRow(gru, rows, hidden, sums, peephole);
    return;
  }
  for (let block = 0; block < blocks; block += 1) {
    const w = weights + usize(block) * blockBytes;
    if (gru) gruBlock(w, rows, n, width, hidden, sums);
    else lstmBlock(w, rows, n, width, hidden, sums);
    for (let i = 0; i < n; i += 1) gates(gru, rows + usize(i) * ROW, block, sums + usize(i) * 64, peephole, hidden);
  }
}

/** The sums of x alone, for all rows and blocks, into `sums` [n][stride bytes]: one matrix product for a run. */
export function inputProduct(gru: bool, weights: usize, rows: usize, n: i32, width: i32, hidden: i32, sums: usize, stride: usize): void {
  const blockBytes = usize(64 + (width + hidden) * (gru ? 48 : 64));
  for (let block = 0; block < hidden >> 2; block += 1) {
    const w = weights + usize(block) * blockBytes;
    let out = sums + usize(block) * 64;
    let row = rows;
    for (let i = 0; i < n; i += 2) {
      // An odd last row is computed twice.
      const last = i + 1 < n ? ROW : 0;
      const outB = i + 1 < n ? out + stride : out;
      if (gru) gruSums2(w, w, w + 64, usize(load<u32>(row)), usize(load<u32>(row + last)), width, 0, 0, 0, out, outB);
      else sums16x2(w, w, w + 64, usize(load<u32>(row)), usize(load<u32>(row + last)), width, 0, 0, 0, out, outB);
      row += 2 * ROW;
      out += 2 * stride;
    }
  }
}

/** One step of one row whose sums of x stand in `sums` [blocks][16 floats]. */
export function recurrentStep(gru: bool, weights: usize, row: usize, width: i32, hidden: i32, peephole: usize, sums: usize): void {
  const rowBytes = gru ? 48 : 64;
  const blockBytes = usize(64 + (width + hidden) * rowBytes);
  const h = usize(load<u32>(row, 4));
  let w = weights + usize(64 + width * rowBytes);
  let at = sums;
  for (let block = 0; block < hidden; block += 4) {
    if (gru) gruSums1(at, w, h, 0, h, hidden, at);
    else sums16x1(at, w, h, 0, h, hidden, at);
    w += blockBytes;
    at += 64;
  }
  gatesOfRow(gru, row, hidden, sums, peephole);
}

/** The gates of all blocks of one row, once all sums stand: those of several blocks overlap. */
function gatesOfRow(gru: bool, row: usize, hidden: i32, sums: usize, peephole: usize): void {
  for (let block = 0; block < hidden >> 2; block += 1) gates(gru, row, block, sums + usize(block) * 64, peephole, hidden);
}

@inline
function gates(gru: bool, row: usize, block: i32, sums: usize, peephole: usize, hidden: i32): void {
  const unit = usize(block) * 16;
  const out = usize(load<u32>(row, 12)) + unit;
  if (gru) gruGates(sums, usize(load<u32>(row, 4)) + unit, out);
  else lstmGates(sums, usize(load<u32>(row, 8)) + unit, out, peephole === 0 ? 0 : peephole + unit, hidden);
}

/** out = b + W x + U h in groups of 16 places; then tanh for an RNN layer, or what `activation` says. `out` has room for whole groups. */
export function affineLayer(weights: usize, rows: usize, n: i32, width: i32, hidden: i32, places: i32, activation: u32): void {
  const groupBytes = usize(1 + width + hidden) * 64;
  for (let place = 0; place < places; place += 16) {
    let row = rows;
    for (let i = 0; i < n; i += 2) {
      const other = i + 1 < n ? row + ROW : row;
      const outA = usize(load<u32>(row, 12)) + usize(place) * 4;
      const outB = usize(load<u32>(other, 12)) + usize(place) * 4;
      const xa = usize(load<u32>(row));
      const xb = usize(load<u32>(other));
      sums16x2(weights, weights, weights + 64, xa, xb, width, usize(load<u32>(row, 4)), usize(load<u32>(other, 4)), hidden, outA, outB);
      if (activation !== ACTIVATION_NONE) {
        activate16(outA, activation);
        if (outB !== outA) activate16(outB, activation);
      }
      row += 2 * ROW;
    }
    weights += groupBytes;
  }
}

function activate16(at: usize, activation: u32): void {
  const zero = f32x4.splat(0);
  for (let k: usize = 0; k < 64; k += 16) {
    const sum = v128.load(at + k);
    // pmax hands a NaN on: max(0, NaN) would hide it in some instruction sets.
    v128.store(at + k, activation === ACTIVATION_RELU ? f32x4.pmax(sum, zero) : tanh4(sum));
  }
}

/**
 * A GRU layer with the reset before the product: r and z as one affine layer into `sums` [r: H][z: H], then n = tanh(b + W x + U (r * h)).
 * The sums of a row need 2H floats for r and z, H for r * h and H (whole groups each) for n.
 */
export function gruBeforeLayer(gates: usize, candidate: usize, rows: usize, n: i32, width: i32, hidden: i32, sums: usize, stride: usize): void {
  const one = f32x4.splat(1);
  const places = (2 * hidden + 15) & ~15;
  const candidatePlaces = (hidden + 15) & ~15;
  for (let i = 0; i < n; i += 1) {
    const row = rows + usize(i) * ROW;
    const out = usize(load<u32>(row, 12));
    const h = usize(load<u32>(row, 4));
    const at = sums + usize(i) * stride;
    store<u32>(row, u32(at), 12);
    affineLayer(gates, row, 1, width, hidden, places, ACTIVATION_NONE);
    const reset = at + usize(places) * 4;
    for (let k: usize = 0; k < usize(hidden) * 4; k += 16) v128.store(reset + k, f32x4.mul(sigmoid4(v128.load(at + k)), v128.load(h + k)));
    store<u32>(row, u32(reset), 4);
    const n4 = reset + usize(hidden) * 4;
    store<u32>(row, u32(n4), 12);
    affineLayer(candidate, row, 1, width, hidden, candidatePlaces, ACTIVATION_TANH);
    for (let k: usize = 0; k < usize(hidden) * 4; k += 16) {
      const z = sigmoid4(v128.load(at + usize(hidden) * 4 + k));
      v128.store(out + k, f32x4.add(f32x4.mul(f32x4.sub(one, z), v128.load(n4 + k)), f32x4.mul(z, v128.load(h + k))));
    }
    store<u32>(row, u32(h), 4);
    store<u32>(row, u32(out), 12);
  }
}
