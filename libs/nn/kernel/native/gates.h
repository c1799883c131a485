/*
 * From the sums of a block's gates to its new state, with the operations of ../assembly/gates.ts. Items are either rows (one block of each) or the blocks
 * of one row; CHAINS vectors of them go together.
 */
#ifndef TIDELINE_GATES_H
#define TIDELINE_GATES_H

#include "activations.h"
#include "sums.h"

struct items {
  char *base;
  const struct row *rows;
  /* Item j is row j * row_step at unit `unit` + j * unit_step. */
  uint32_t row_step;
  uint32_t unit;
  uint32_t unit_step;
  uint32_t count;
  /* [count][GROUP] */
  float *sums;
  /* The diagonal weights [i][f][o] of `hidden` floats each, or NULL. */
  const float *peephole;
  uint32_t hidden;
};

INLINE float *place_of(const struct items *items, uint32_t address, uint32_t j) {
  return (float *)(void *)(items->base + address) + items->unit + (size_t)j * items->unit_step;
}

INLINE const struct row *row_of(const struct items *items, uint32_t j) { return items->rows + (size_t)j * items->row_step; }

INLINE float *sums_of(const struct items *items, uint32_t j) { return items->sums + j * GROUP; }

/* c = f * c + i * g of `count` items, at most 2; the open output gate takes the first place of the sums. */
INLINE void lstm_cells(const struct items *items, const uint32_t from, const int count) {
  vector v[CHAINS];
  for (int j = 0; j < count; j += 1) {
    const float *sums = sums_of(items, from + (uint32_t)j);
    v[4 * j] = half(load(sums));
    v[4 * j + 1] = half(load(sums + LANES));
    v[4 * j + 2] = load(sums + 2 * LANES);
    v[4 * j + 3] = half(load(sums + 3 * LANES));
  }
  tanh_of(v, 4 * count);
  for (int j = 0; j < count; j += 1) {
    const uint32_t item = from + (uint32_t)j;
    float *c = place_of(items, row_of(items, item)->c, item);
    store(c, mac(opened(v[4 * j]) * v[4 * j + 2], opened(v[4 * j + 1]), load(c)));
    store(sums_of(items, item), opened(v[4 * j + 3]));
  }
}

/* The same with peepholes: i and f see the old c, o sees the new one. */
INLINE void lstm_peephole_cell(const struct items *items, const uint32_t item) {
  const float *peephole = items->peephole + items->unit + (size_t)item * items->unit_step;
  float *sums = sums_of(items, item), *c = place_of(items, row_of(items, item)->c, item);
  const vector old = load(c);
  vector v[] = {half(mac(load(sums), load(peephole), old)), half(mac(load(sums + LANES), load(peephole + items->hidden), old)), load(sums + 2 * LANES)};
  tanh_of(v, 3);
  const vector next = mac(opened(v[0]) * v[2], opened(v[1]), old);
  vector o = half(mac(load(sums + 3 * LANES), load(peephole + 2 * (size_t)items->hidden), next));
  tanh_of(&o, 1);
  store(c, next);
  store(sums, opened(o));
}

/* out = o * tanh(c) */
INLINE void lstm_outputs(const struct items *items, const uint32_t from, const int count) {
  vector v[CHAINS];
  for (int j = 0; j < count; j += 1) v[j] = load(place_of(items, row_of(items, from + (uint32_t)j)->c, from + (uint32_t)j));
  tanh_of(v, count);
  for (int j = 0; j < count; j += 1) {
    const uint32_t item = from + (uint32_t)j;
    store(place_of(items, row_of(items, item)->out, item), load(sums_of(items, item)) * v[j]);
  }
}

SEPARATE void lstm_gates(const struct items *items) {
  const uint32_t count = items->count;
  uint32_t j = 0;
  if (items->peephole != NULL)
    for (uint32_t i = 0; i < count; i += 1) lstm_peephole_cell(items, i);
  else {
    for (; count - j >= 2; j += 2) lstm_cells(items, j, 2);
    if (j < count) lstm_cells(items, j, 1);
  }
  for (j = 0; count - j >= CHAINS; j += CHAINS) lstm_outputs(items, j, CHAINS);
  for (; count - j >= 2; j += 2) lstm_outputs(items, j, 2);
  if (j < count) lstm_outputs(items, j, 1);
}

/* r and z of `count` items, at most 4, in the first two places of the sums. */
INLINE void gru_resets(const struct items *items, const uint32_t from, const int count) {
  vector v[CHAINS];
  for (int j = 0; j < count; j += 1) {
    v[2 * j] = half(load(sums_of(items, from + (uint32_t)j)));
    v[2 * j + 1] = half(load(sums_of(items, from + (uint32_t)j) + LANES));
  }
  tanh_of(v, 2 * count);
  for (int j = 0; j < count; j += 1) {
    store(sums_of(items, from + (uint32_t)j), opened(v[2 * j]));
    store(sums_of(items, from + (uint32_t)j) + LANES, opened(v[2 * j + 1]));
  }
}

/* n = tanh(nx + r * nh), out = (1 - z) * n + z * h */
INLINE void gru_outputs(const struct items *items, const uint32_t from, const int count) {
  vector v[CHAINS];
  for (int j = 0; j < count; j += 1) {
    const float *sums = sums_of(items, from + (uint32_t)j);
    v[j] = mac(load(sums + 2 * LANES), load(sums), load(sums + 3 * LANES));
  }
  tanh_of(v, count);
  for (int j = 0; j < count; j += 1) {
    const uint32_t item = from + (uint32_t)j;
    const vector z = load(sums_of(items, item) + LANES), h = load(place_of(items, row_of(items, item)->h, item));
    store(place_of(items, row_of(items, item)->out, item), mac((splat(1.0f) - z) * v[j], z, h));
  }
}

SEPARATE void gru_gates(const struct items *items) {
  const uint32_t count = items->count;
  uint32_t j = 0;
  for (; count - j >= 4; j += 4) gru_resets(items, j, 4);
  for (; j < count; j += 1) gru_resets(items, j, 1);
  for (j = 0; count - j >= CHAINS; j += CHAINS) gru_outputs(items, j, CHAINS);
  for (; count - j >= 2; j += 2) gru_outputs(items, j, 2);
  if (j < count) gru_outputs(items, j, 1);
}

#endif
