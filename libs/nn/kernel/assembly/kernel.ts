/**
 * Fused recurrent networks in WebAssembly SIMD: input product, recurrent product, gates, state update and head of all layers in one call.
 *
 * Numerics, one on every machine (`../native` computes the same bits): every sum is float32, starts with the bias and adds w * v for k = 0, 1, ... over the
 * input and then over h; each product and each sum is rounded on its own. A vector lane is one hidden unit, so neither the width of the vectors nor the rows
 * that share a batch can change a bit.
 */
import { affineLayer, gatedLayer, gruBeforeLayer, inputProduct, recurrentStep } from './layers';
import * as P from './program';

/** Number of the layout of programs that this build reads. */
export function layout(): u32 {
  return P.LAYOUT;
}

/** One step of rows 0..n-1, each of its own slot. */
export function step(program: usize, n: i32): void {
  const rows = word(program, P.ROWS);
  const layers = i32(load<u32>(program + P.LAYERS));
  const hidden = i32(load<u32>(program + P.HIDDEN));
  project(program, n);
  for (let l = 0; l < layers; l += 1) {
    const layer = program + P.FIRST_LAYER + usize(l) * P.LAYER_BYTES;
    placeStep(program, layer, l, n);
    runLayer(program, layer, rows, n);
    for (let i = 0; i < n; i += 1) {
      const row = rows + usize(i) * 16;
      copy(usize(load<u32>(row, 4)), usize(load<u32>(row, 12)), hidden);
    }
  }
  const top = program + P.FIRST_LAYER + usize(layers - 1) * P.LAYER_BYTES;
  for (let i = 0; i < n; i += 1) placeHead(program, i, stateOf(program, i) + word(top, P.H_AT));
  head(program, n);
}

/** n steps of the first row's slot, one after the other. Layer by layer: the layer's input product for all steps, then its recurrence. */
export function run(program: usize, n: i32): void {
  const rows = word(program, P.ROWS);
  const layers = i32(load<u32>(program + P.LAYERS));
  const cell = load<u32>(program + P.CELL);
  const hidden = i32(load<u32>(program + P.HIDDEN));
  const sums = word(program, P.SUMS);
  const stride = word(program, P.SUMS_STRIDE);
  const nextStride = word(program, P.NEXT_STRIDE);
  const state = stateOf(program, 0);
  project(program, n);
  // Two sequences of h in turn: a layer reads the one that the layer below has made.
  let below: usize = 0;
  let next = word(program, P.NEXT);
  for (let l = 0; l < layers; l += 1) {
    const layer = program + P.FIRST_LAYER + usize(l) * P.LAYER_BYTES;
    const width = i32(load<u32>(layer + P.WIDTH));
    const weights = word(layer, P.WEIGHTS);
    const h = state + word(layer, P.H_AT);
    const gated = cell === P.CELL_LSTM || cell === P.CELL_GRU;
    for (let i = 0; i < n; i += 1) {
      const x = l === 0 ? firstInput(program, i) : below + usize(i) * nextStride;
      placeRow(rows, i, x, i === 0 ? h : next + usize(i - 1) * nextStride, state + word(layer, P.C_AT), next + usize(i) * nextStride);
    }
    if (gated) inputProduct(cell === P.CELL_GRU, weights, rows, n, width, hidden, sums, stride);
    for (let i = 0; i < n; i += 1) {
      const row = rows + usize(i) * 16;
      if (gated) recurrentStep(cell === P.CELL_GRU, weights, row, width, hidden, word(layer, P.PEEPHOLE), sums + usize(i) * stride);
      else runLayer(program, layer, row, 1);
    }
    copy(h, next + usize(n - 1) * nextStride, hidden);
    below = next;
    next = word(program, P.NEXT) + (l & 1 ? 0 : usize(n) * nextStride);
  }
  for (let i = 0; i < n; i += 1) placeHead(program, i, below + usize(i) * nextStride);
  head(program, n);
}

function runLayer(program: usize, layer: usize, rows: usize, n: i32): void {
  const cell = load<u32>(program + P.CELL);
  const hidden = i32(load<u32>(program + P.HIDDEN));
  const width = i32(load<u32>(layer + P.WIDTH));
  const weights = word(layer, P.WEIGHTS);
  const sums = word(program, P.SUMS);
  if (cell === P.CELL_LSTM) gatedLayer(false, weights, rows, n, width, hidden, word(layer, P.PEEPHOLE), sums);
  else if (cell === P.CELL_GRU) gatedLayer(true, weights, rows, n, width, hidden, 0, sums);
  else if (cell === P.CELL_RNN) affineLayer(weights, rows, n, width, hidden, (hidden + 15) & ~15, P.ACTIVATION_TANH);
  else gruBeforeLayer(weights, word(layer, P.CANDIDATE), rows, n, width, hidden, sums, word(program, P.SUMS_STRIDE));
}

function placeStep(program: usize, layer: usize, l: i32, n: i32): void {
  const rows = word(program, P.ROWS);
  const next = word(program, P.NEXT);
  const nextStride = word(program, P.NEXT_STRIDE);
  for (let i = 0; i < n; i += 1) {
    const state = stateOf(program, i);
    // The h of the layer below is the x of an upper one.
    const x = l === 0 ? firstInput(program, i) : state + word(layer - P.LAYER_BYTES, P.H_AT);
    placeRow(rows, i, x, state + word(layer, P.H_AT), state + word(layer, P.C_AT), next + usize(i) * nextStride);
  }
}

/** v = tanh(W x + b) or max(0, W x + b), where the network has an input layer. */
function project(program: usize, n: i32): void {
  const weights = word(program, P.INPUT_LAYER);
  if (weights === 0) return;
  const rows = word(program, P.ROWS);
  const stride = word(program, P.PROJECTED_STRIDE);
  for (let i = 0; i < n; i += 1) {
    const x = word(program, P.INPUTS) + usize(i) * word(program, P.INPUT_STRIDE);
    placeRow(rows, i, x, x, x, word(program, P.PROJECTED) + usize(i) * stride);
  }
  affineLayer(weights, rows, n, i32(load<u32>(program + P.INPUT_WIDTH)), 0, i32(stride >> 2), load<u32>(program + P.INPUT_ACTIVATION));
}

/** What the first recurrent layer reads of row i. */
@inline
function firstInput(program: usize, i: i32): usize {
  return load<u32>(program + P.INPUT_LAYER) === 0
    ? word(program, P.INPUTS) + usize(i) * word(program, P.INPUT_STRIDE)
    : word(program, P.PROJECTED) + usize(i) * word(program, P.PROJECTED_STRIDE);
}

function placeHead(program: usize, i: i32, h: usize): void {
  const out = word(program, P.OUTPUTS) + usize(i) * word(program, P.HEAD_PLACES) * 4;
  placeRow(word(program, P.ROWS), i, firstInput(program, i), h, h, out);
}

function head(program: usize, n: i32): void {
  const places = i32(load<u32>(program + P.HEAD_PLACES));
  const width = i32(load<u32>(program + P.HEAD_WIDTH));
  affineLayer(word(program, P.HEAD), word(program, P.ROWS), n, width, i32(load<u32>(program + P.HIDDEN)), places, P.ACTIVATION_NONE);
}

@inline
function placeRow(rows: usize, i: i32, x: usize, h: usize, c: usize, out: usize): void {
  const row = rows + usize(i) * 16;
  store<u32>(row, u32(x));
  store<u32>(row, u32(h), 4);
  store<u32>(row, u32(c), 8);
  store<u32>(row, u32(out), 12);
}

@inline
function stateOf(program: usize, i: i32): usize {
  return word(program, P.STATES) + usize(load<u32>(word(program, P.SLOTS) + usize(i) * 4)) * word(program, P.STRIDE);
}

@inline
function word(at: usize, field: usize): usize {
  return usize(load<u32>(at + field));
}

function copy(to: usize, from: usize, floats: i32): void {
  for (let k: usize = 0; k < usize(floats) * 4; k += 16) v128.store(to + k, v128.load(from + k));
}
