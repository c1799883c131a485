/*
 * From the sums of a block's gates to its new state, with the operations of ../assembly/gates.ts. Items are either rows (one block of each) or the blocks
 * of one row; ITEMS of them go together, so that their divisions and polynomials overlap.
 */
#ifndef TIDELINE_GATES_H
#define TIDELINE_GATES_H

#include "activations.h"
#include "sums.h"

#define ITEMS 4

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

/* c = f * c + i * g; the open output gate takes the first place of the sums. */
INLINE void lstm_cell(const struct items *items, const uint32_t j) {
  float *sums = items->sums + j * GROUP;
  float *c = place_of(items, row_of(items, j)->c, j);
  const vector old = load(c);
  vector i = load(sums), f = load(sums + LANES), o = load(sums + 3 * LANES);
  const float *peephole = items->peephole == NULL ? NULL : items->peephole + items->unit + (size_t)j * items->unit_step;
  if (peephole != NULL) {
    i = mac(i, load(peephole), old);
    f = mac(f, load(peephole + items->hidden), old);
  }
  vector v[] = {half(i), half(f), load(sums + 2 * LANES), half(o)};
  if (peephole == NULL) {
    tanh_of(v, 4);
  } else {
    tanh_of(v, 3);
  }
  const vector next = mac(opened(v[0]) * v[2], opened(v[1]), old);
  if (peephole != NULL) {
    /* The output gate sees the new c. */
    v[3] = half(mac(o, load(peephole + 2 * (size_t)items->hidden), next));
    tanh_of(v + 3, 1);
  }
  store(c, next);
  store(sums, opened(v[3]));
}

/* out = o * tanh(c) */
INLINE void lstm_outputs(const struct items *items, const uint32_t from, const int count) {
  vector v[ITEMS];
  for (int j = 0; j < count; j += 1) v[j] = load(place_of(items, row_of(items, from + (uint32_t)j)->c, from + (uint32_t)j));
  tanh_of(v, count);
  for (int j = 0; j < count; j += 1) {
    const uint32_t item = from + (uint32_t)j;
    store(place_of(items, row_of(items, item)->out, item), load(items->sums + item * GROUP) * v[j]);
  }
}

SEPARATE void lstm_gates(const struct items *items) {
  uint32_t j = 0;
  for (; items->count - j >= ITEMS; j += ITEMS) {
    for (uint32_t i = 0; i < ITEMS; i += 1) lstm_cell(items, j + i);
    lstm_outputs(items, j, ITEMS);
  }
  for (; j < items->count; j += 1) {
    lstm_cell(items, j);
    lstm_outputs(items, j, 1);
  }
}

/* r and z of `count` items, at most 2. */
INLINE void gru_resets(const struct items *items, const uint32_t from, const int count) {
  vector v[4];
  for (int j = 0; j < count; j += 1) {
    v[2 * j] = half(load(items->sums + (from + (uint32_t)j) * GROUP));
    v[2 * j + 1] = half(load(items->sums + (from + (uint32_t)j) * GROUP + LANES));
  }
  tanh_of(v, 2 * count);
  for (int j = 0; j < count; j += 1) {
    store(items->sums + (from + (uint32_t)j) * GROUP, opened(v[2 * j]));
    store(items->sums + (from + (uint32_t)j) * GROUP + LANES, opened(v[2 * j + 1]));
  }
}

/* n = tanh(nx + r * nh), out = (1 - z) * n + z * h */
INLINE void gru_outputs(const struct items *items, const uint32_t from, const int count) {
  vector v[ITEMS];
  for (int j = 0; j < count; j += 1) {
    const float *sums = items->sums + (from + (uint32_t)j) * GROUP;
    v[j] = mac(load(sums + 2 * LANES), load(sums), load(sums + 3 * LANES));
  }
  tanh_of(v, count);
  for (int j = 0; j < count; j += 1) {
    const uint32_t item = from + (uint32_t)j;
    const vector z = load(items->sums + item * GROUP + LANES);
    const vector h = load(place_of(items, row_of(items, item)->h, item));
    store(place_of(items, row_of(items, item)->out, item), mac((splat(1.0f) - z) * v[j], z, h));
  }
}

SEPARATE void gru_gates(const struct items *items) {
  uint32_t j = 0;
  for (; items->count - j >= ITEMS; j += ITEMS) {
    gru_resets(items, j, 2);
    gru_resets(items, j + 2, 2);
    gru_outputs(items, j, ITEMS);
  }
  for (; j < items->count; j += 1) {
    gru_resets(items, j, 1);
    gru_outputs(items, j, 1);
  }
}

#endif
