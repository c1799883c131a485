/* One layer for several rows, and the two halves of a layer for the steps of one series: ../assembly/layers.ts with vectors of LANES. */
#ifndef TIDELINE_LAYERS_H
#define TIDELINE_LAYERS_H

#include "gates.h"
#include "lone-sums.h"
#include "row-sums.h"

/* Rows of a GRU with the reset before the product that go together: their table is on the stack. */
#define CHUNK 32

static void apply_gates(const int gates, const struct items items) {
  if (gates == VECTORS) lstm_gates(&items);
  else gru_gates(&items);
}

/* The gates of all blocks of one row, whose sums stand in `sums` [blocks][GROUP]: those of several blocks overlap. */
static void gates_of_row(const int gates, char *base, const struct row *row, const uint32_t hidden, float *sums, const float *peephole) {
  const struct items items = {base, row, 0, 0, LANES, hidden / LANES, sums, peephole, hidden};
  apply_gates(gates, items);
}

/* One LSTM or GRU layer: c in place, the new h to each row's `out`. `sums` is scratch, [max(count, blocks)][GROUP]. */
static void gated_layer(char *base, const struct row *rows, uint32_t count, struct block block, float *sums, const float *peephole) {
  const uint32_t hidden = block.hidden;
  if (count == 1) {
    sum_lone_row(floats_at(base, rows->x), floats_at(base, rows->h), block, hidden / LANES, sums);
    gates_of_row(block.gates, base, rows, hidden, sums, peephole);
    return;
  }
  for (uint32_t unit = 0; unit < hidden; unit += LANES) {
    const struct items items = {base, rows, 1, unit, 0, count, sums, peephole, hidden};
    sum_block(base, rows, count, block, sums, GROUP);
    apply_gates(block.gates, items);
    block = next_block(block, 1);
  }
}

/* The recurrence of one LSTM or GRU layer over the rows, each of which has the row before as its h: x for all rows in one product, then step by step. */
static void gated_run(char *base, const struct row *rows, uint32_t count, const struct block block, float *sums, size_t stride, const float *peephole) {
  const size_t blocks = block.hidden / LANES;
  for (size_t b = 0; b < blocks; b += 1) {
    struct block of_x = next_block(block, b);
    of_x.hidden = 0;
    sum_block(base, rows, count, of_x, sums + b * GROUP, stride);
  }
  for (uint32_t i = 0; i < count; i += 1) {
    float *at = sums + i * stride;
    sum_lone_row(NULL, floats_at(base, rows[i].h), block, blocks, at);
    gates_of_row(block.gates, base, rows + i, block.hidden, at, peephole);
  }
}

/* out = b + W x + U h in groups of places. The rows' `out` lie `stride` floats apart and have room for whole groups. */
static void affine_layer(char *base, const struct row *rows, uint32_t count, struct block block, uint32_t places, size_t stride) {
  float *out = written_at(base, rows->out);
  const size_t groups = (places + GROUP - 1) / GROUP;
  if (count == 1) {
    sum_lone_row(floats_at(base, rows->x), floats_at(base, rows->h), block, groups, out);
    return;
  }
  for (size_t group = 0; group < groups; group += 1) {
    sum_block(base, rows, count, block, out + group * GROUP, stride);
    block = next_block(block, 1);
  }
}

/* The same, then tanh: an RNN layer. */
static void squashed_layer(char *base, const struct row *rows, uint32_t count, struct block block, uint32_t places, size_t stride) {
  affine_layer(base, rows, count, block, places, stride);
  for (uint32_t i = 0; i < count; i += 1)
    for (size_t place = 0; place < places; place += GROUP) {
      float *at = written_at(base, rows[i].out) + place;
      vector v[] = {load(at), load(at + LANES), load(at + 2 * LANES), load(at + 3 * LANES)};
      tanh_of(v, VECTORS);
      for (int k = 0; k < VECTORS; k += 1) store(at + k * LANES, v[k]);
    }
}

/* The same, then max(0, .) with a NaN handed on. */
static void rectified_layer(char *base, const struct row *rows, uint32_t count, struct block block, uint32_t places, size_t stride) {
  const vector zero = splat(0.0f);
  affine_layer(base, rows, count, block, places, stride);
  for (uint32_t i = 0; i < count; i += 1)
    for (size_t place = 0; place < places; place += LANES) {
      float *at = written_at(base, rows[i].out) + place;
      store(at, above(zero, load(at)));
    }
}

/*
 * A GRU layer with the reset before the product. A row's sums [stride bytes] hold r and z as one affine layer, [r: H][z: H] in whole groups, then [r * h: H],
 * then [n: H] in whole groups, n = tanh(b + W x + U (r * h)).
 */
static void gru_before_layer(char *base, const struct row *rows, uint32_t count, struct block gates, struct block candidate, uint32_t sums, uint32_t stride) {
  const uint32_t hidden = gates.hidden;
  const uint32_t places = (uint32_t)((2 * hidden + GROUP - 1) / GROUP * GROUP);
  const uint32_t reset_at = places * 4, candidate_at = reset_at + hidden * 4;
  for (uint32_t from = 0; from < count; from += CHUNK, rows += CHUNK, sums += CHUNK * stride) {
    const uint32_t n = count - from < CHUNK ? count - from : CHUNK;
    struct row of_sums[CHUNK];
    for (uint32_t i = 0; i < n; i += 1) {
      of_sums[i] = rows[i];
      of_sums[i].out = sums + i * stride;
    }
    affine_layer(base, of_sums, n, gates, places, stride / 4);
    for (uint32_t i = 0; i < n; i += 1) {
      float *at = written_at(base, of_sums[i].out);
      const float *h = floats_at(base, rows[i].h);
      for (uint32_t k = 0; k < hidden; k += LANES) {
        vector v[] = {half(load(at + k)), half(load(at + hidden + k))};
        tanh_of(v, 2);
        store(at + places + k, opened(v[0]) * load(h + k));
        store(at + hidden + k, opened(v[1]));
      }
      of_sums[i].h = of_sums[i].out + reset_at;
      of_sums[i].out += candidate_at;
    }
    squashed_layer(base, of_sums, n, candidate, hidden, stride / 4);
    for (uint32_t i = 0; i < n; i += 1) {
      const float *h = floats_at(base, rows[i].h), *z = floats_at(base, sums + i * stride) + hidden, *squashed = floats_at(base, of_sums[i].out);
      float *out = written_at(base, rows[i].out);
      for (uint32_t k = 0; k < hidden; k += LANES) store(out + k, mac((splat(1.0f) - load(z + k)) * load(squashed + k), load(z + k), load(h + k)));
    }
  }
}

#endif
