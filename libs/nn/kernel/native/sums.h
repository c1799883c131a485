/* Weighted sums: start + sum over k of v[k] * w[k], k = 0, 1, ..., for several rows of a batch or several blocks of units at once. */
#ifndef TIDELINE_SUMS_H
#define TIDELINE_SUMS_H

#include <stddef.h>

#include "program.h"
#include "vector.h"

/* Vectors of a group of places: the gates of LANES units, or 4 * LANES places of an affine layer. */
#define VECTORS 4
#define GROUP ((size_t)VECTORS * LANES)
/* Blocks of a lone row that go together: enough sums to hide the latency of an addition. */
#define BLOCKS 2
/* Weights that stay in the first cache (32 KiB and more) beside the inputs and sums of the rows. */
#define PART_BYTES 16384

/*
 * The weights of one block of places: a bias row of 4 vectors, then a row for each of `width` inputs and `hidden` h. A row is 4 vectors, or GRU gates:
 * its third place is the candidate, which x adds to the third sum and h to the fourth. Of a NARROW block only the first vector of each row counts.
 */
#define GRU 3
#define NARROW 1
struct block {
  const float *weights;
  int gates;
  uint32_t width;
  uint32_t hidden;
};

INLINE const float *floats_at(const char *base, uint32_t address) { return (const float *)(const void *)(base + address); }

INLINE float *written_at(char *base, uint32_t address) { return (float *)(void *)(base + address); }

INLINE size_t floats_of_row(const int gates) { return gates == GRU ? (size_t)GRU * LANES : GROUP; }

INLINE struct block next_block(struct block block, const size_t count) {
  block.weights += count * (GROUP + ((size_t)block.width + block.hidden) * floats_of_row(block.gates));
  return block;
}

/* sums[row][gate] += w[k][gate] * v[row][k] */
INLINE void add_rows(vector (*sums)[VECTORS], const int rows, const int gates, const float *w, const float *const *v, const size_t n) {
  /* One pointer moves; the other rows stand apart from it. */
  ptrdiff_t apart[ROWS_MAX];
  for (int r = 0; r < rows; r += 1) apart[r] = v[r] - v[0];
  const float *const end = v[0] + n;
  UNROLL_TWICE
  for (const float *at = v[0]; at < end; at += 1) {
    vector value[ROWS_MAX];
    for (int r = 0; r < rows; r += 1) value[r] = splat(at[apart[r]]);
    for (int g = 0; g < gates; g += 1) {
      vector weight = load(w + g * LANES);
      if (rows > 1) IN_ORDER(weight);
      for (int r = 0; r < rows; r += 1) sums[r][g] = mac(sums[r][g], weight, value[r]);
    }
    w += floats_of_row(gates);
  }
}

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

INLINE void swap_candidates(vector (*sums)[VECTORS], const int count, const int gates) {
  if (gates != GRU) return;
  for (int i = 0; i < count; i += 1) {
    const vector of_x = sums[i][2];
    sums[i][2] = sums[i][3];
    sums[i][3] = of_x;
  }
}

INLINE void store_sums(vector (*sums)[VECTORS], const int count, float *out, const size_t stride) {
  for (int i = 0; i < count; i += 1)
    for (int g = 0; g < VECTORS; g += 1) store(out + (size_t)i * stride + g * LANES, sums[i][g]);
}

/* A stretch of a block's sums: over x from x_from, then over h from h_from. */
struct part {
  const float *weights_of_x;
  uint32_t x_from, x_count;
  const float *weights_of_h;
  uint32_t h_from, h_count;
  /* [rows][start_stride]: the bias of all rows (stride 0), or what has been summed so far. */
  const float *start;
  size_t start_stride;
};

INLINE void sum_rows(const int rows, const int gates, const char *base, const struct row *row, const struct part *part, const float *start, float *out, const size_t stride) {
  const float *x[ROWS_MAX], *h[ROWS_MAX];
  vector sums[ROWS_MAX][VECTORS];
  for (int r = 0; r < rows; r += 1) {
    x[r] = floats_at(base, row[r].x) + part->x_from;
    h[r] = floats_at(base, row[r].h) + part->h_from;
    for (int g = 0; g < VECTORS; g += 1) sums[r][g] = load(start + (size_t)r * part->start_stride + g * LANES);
  }
  add_rows(sums, rows, gates, part->weights_of_x, x, part->x_count);
  swap_candidates(sums, rows, gates);
  add_rows(sums, rows, gates, part->weights_of_h, h, part->h_count);
  swap_candidates(sums, rows, gates);
  store_sums(sums, rows, out, stride);
}

INLINE void sum_part(const int gates, const char *base, const struct row *rows, const uint32_t count, const struct part *part, float *out, const size_t stride) {
  const uint32_t together = gates == NARROW ? ROWS_NARROW : gates == GRU ? ROWS_GRU : ROWS;
  uint32_t i = 0;
  for (; count - i >= together; i += together) sum_rows((int)together, gates, base, rows + i, part, part->start + i * part->start_stride, out + i * stride, stride);
  if (together > 2)
    for (; count - i >= 2; i += 2) sum_rows(2, gates, base, rows + i, part, part->start + i * part->start_stride, out + i * stride, stride);
  if (i < count) sum_rows(1, gates, base, rows + i, part, part->start + i * part->start_stride, out + i * stride, stride);
}

/* The compiler sees the number of gates: it is a constant in each copy. */
SEPARATE void sum_part_of(const int gates, const char *base, const struct row *rows, const uint32_t count, const struct part *part, float *out, const size_t stride) {
  if (gates == VECTORS) sum_part(VECTORS, base, rows, count, part, out, stride);
  else if (gates == GRU) sum_part(GRU, base, rows, count, part, out, stride);
  else sum_part(NARROW, base, rows, count, part, out, stride);
}

/*
 * One block's sums of `count` rows, from the bias over x and then over h, into out [count][stride]. Where the block's weights are more than the first cache
 * holds beside the rows, all rows take one part of the weights after the other; the order of each sum stays.
 */
static void sum_block(const char *base, const struct row *rows, uint32_t count, struct block block, float *out, size_t stride) {
  const size_t row = floats_of_row(block.gates);
  const uint32_t most = PART_BYTES / sizeof(float) / (uint32_t)row;
  const float *of_x = block.weights + GROUP, *of_h = of_x + block.width * row;
  if (count <= 2 * ROWS || block.width + block.hidden <= most + most / 4) {
    const struct part whole = {of_x, 0, block.width, of_h, 0, block.hidden, block.weights, 0};
    sum_part_of(block.gates, base, rows, count, &whole, out, stride);
    return;
  }
  const float *start = block.weights;
  for (uint32_t k = 0; k < block.width + block.hidden;) {
    const int is_x = k < block.width;
    const uint32_t left = (is_x ? block.width : block.width + block.hidden) - k, taken = left < most ? left : most;
    const struct part part = {of_x + k * row, k, is_x ? taken : 0, of_x + k * row, is_x ? 0 : k - block.width, is_x ? 0 : taken, start, start == out ? stride : 0};
    sum_part_of(block.gates, base, rows, count, &part, out, stride);
    start = out;
    k += taken;
  }
}

/* Adds v to the sums of `blocks` blocks that stand in `at` [blocks][GROUP]; `row` is the first of v's weights in the block. */
INLINE void add_to_blocks(const int blocks, const int gates, const float *x, const float *h, const struct block block, const float *start, const size_t stride, float *at) {
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
