/* Weighted sums: start + sum over k of v[k] * w[k], k = 0, 1, ... What is here is shared by the sums of many rows and those of a lone one. */
#ifndef TIDELINE_SUMS_H
#define TIDELINE_SUMS_H

#include <stddef.h>

#include "program.h"
#include "vector.h"

/* Vectors of a group of places: the gates of LANES units, or 4 * LANES places of an affine layer. */
#define VECTORS 4
#define GROUP ((size_t)VECTORS * LANES)

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

#endif
