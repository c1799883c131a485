/* The sums of several rows of a batch: the weights of one block are read once for a few rows, and stay in the first cache for all. */
#ifndef TIDELINE_ROW_SUMS_H
#define TIDELINE_ROW_SUMS_H

#include "sums.h"

/* Weights that stay in the first cache (32 KiB and more) beside the inputs and sums of the rows. */
#define PART_BYTES 16384

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
      if (rows > 1) {
        ONE_LOAD(weight);
      }
      for (int r = 0; r < rows; r += 1) sums[r][g] = mac(sums[r][g], weight, value[r]);
    }
    w += floats_of_row(gates);
  }
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

/* Sums of `rows` rows from row[0] on, the first of which begins at `start`, into out [rows][stride]. */
INLINE void sum_rows(const int rows, const int gates, const char *base, const struct row *row, const struct part *part, const float *start, float *out,
                     const size_t stride) {
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

INLINE void sum_part(const int gates, const char *base, const struct row *row, uint32_t count, const struct part *part, float *out, const size_t stride) {
  const int together = gates == NARROW ? ROWS_NARROW : gates == GRU ? ROWS_GRU : ROWS;
  const float *start = part->start;
  while (count > 0) {
    const int taken = count >= (uint32_t)together ? together : count >= 2 ? 2 : 1;
    /* A constant number of rows in each copy. */
    if (taken == together) sum_rows(together, gates, base, row, part, start, out, stride);
    else if (taken == 2) sum_rows(2, gates, base, row, part, start, out, stride);
    else sum_rows(1, gates, base, row, part, start, out, stride);
    row += taken;
    start += (size_t)taken * part->start_stride;
    out += (size_t)taken * stride;
    count -= (uint32_t)taken;
  }
}

/* The compiler sees the number of gates: it is a constant in each copy. */
SEPARATE void sum_part_of(int gates, const char *base, const struct row *rows, uint32_t count, const struct part *part, float *out, size_t stride) {
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
    const struct part whole = {
      .weights_of_x = of_x,
      .x_count = block.width,
      .weights_of_h = of_h,
      .h_count = block.hidden,
      .start = block.weights,
    };
    sum_part_of(block.gates, base, rows, count, &whole, out, stride);
    return;
  }
  const float *start = block.weights;
  for (uint32_t k = 0; k < block.width + block.hidden;) {
    const int is_x = k < block.width;
    const uint32_t left = (is_x ? block.width : block.width + block.hidden) - k, taken = left < most ? left : most;
    const struct part part = {
      .weights_of_x = of_x + k * row,
      .x_from = is_x ? k : 0,
      .x_count = is_x ? taken : 0,
      .weights_of_h = of_x + k * row,
      .h_from = is_x ? 0 : k - block.width,
      .h_count = is_x ? 0 : taken,
      .start = start,
      .start_stride = start == out ? stride : 0,
    };
    sum_part_of(block.gates, base, rows, count, &part, out, stride);
    start = out;
    k += taken;
  }
}

#endif
