/* The sums of a lone row: several blocks of units at once, for there are no rows to share a weight. */
#ifndef TIDELINE_LONE_SUMS_H
#define TIDELINE_LONE_SUMS_H

#include "sums.h"

/* Blocks that go together: enough sums to hide the latency of an addition. */
#define BLOCKS 2

/* sums[block][gate] += w[block][k][gate] * v[k] */
INLINE void add_blocks(vector (*sums)[VECTORS], const int blocks, const int gates, const float *const *w, const float *v, const size_t n) {
  const size_t stride = floats_of_row(gates);
  UNROLL_TWICE
  for (size_t k = 0; k < n; k += 1) {
    const vector value = splat(v[k]);
    for (int b = 0; b < blocks; b += 1)
      for (int g = 0; g < gates; g += 1) sums[b][g] = mac(sums[b][g], load(w[b] + k * stride + g * LANES), value);
  }
}

/* The sums of `blocks` blocks from start [blocks][stride] over x (not where NULL) and then over h, into at [blocks][GROUP]. */
INLINE void add_to_blocks(const int blocks, const int gates, const float *x, const float *h, const struct block block, const float *start,
                          const size_t stride, float *at) {
  const float *w[BLOCKS];
  vector sums[BLOCKS][VECTORS];
  for (int b = 0; b < blocks; b += 1) {
    w[b] = next_block(block, (size_t)b).weights + GROUP;
    for (int g = 0; g < VECTORS; g += 1) sums[b][g] = load(start + (size_t)b * stride + g * LANES);
  }
  if (x != NULL) add_blocks(sums, blocks, gates, w, x, block.width);
  for (int b = 0; b < blocks; b += 1) w[b] += block.width * floats_of_row(gates);
  swap_candidates(sums, blocks, gates);
  add_blocks(sums, blocks, gates, w, h, block.hidden);
  swap_candidates(sums, blocks, gates);
  store_sums(sums, blocks, at, GROUP);
}

INLINE void add_to_all_blocks(const int gates, const float *x, const float *h, struct block block, const size_t count, float *at) {
  const size_t stride = x == NULL ? GROUP : (size_t)(next_block(block, 1).weights - block.weights);
  for (size_t b = 0; b < count;) {
    const float *start = x == NULL ? at + b * GROUP : block.weights;
    const size_t taken = count - b < BLOCKS ? 1 : BLOCKS;
    if (taken == BLOCKS) add_to_blocks(BLOCKS, gates, x, h, block, start, stride, at + b * GROUP);
    else add_to_blocks(1, gates, x, h, block, start, stride, at + b * GROUP);
    block = next_block(block, taken);
    b += taken;
  }
}

/*
 * The sums of `count` blocks of one row in `at` [count][GROUP]: from the bias over x and then over h; without x (NULL) its sums stand there already and those
 * of h are added.
 */
SEPARATE void sum_lone_row(const float *x, const float *h, struct block block, size_t count, float *at) {
  if (block.gates == GRU) add_to_all_blocks(GRU, x, h, block, count, at);
  else add_to_all_blocks(VECTORS, x, h, block, count, at);
}

#endif
