/*
 * Fused recurrent networks: the same computation as ../assembly/kernel.ts, and the same bits, for vectors of LANES. Compiled once for each instruction set,
 * with KERNEL its name; kernels.h lists them.
 *
 * Every sum is float32, starts with the bias and adds w * v for k = 0, 1, ... over the input and then over h; each product and each sum is rounded on its own
 * (unless FUSED). A lane is one hidden unit, so neither the width of a vector nor the rows that share a batch can change a bit.
 */
#include "kernels.h"
#include "layers.h"

#define PASTE(a, b) a##b
#define NAMED(a, b) PASTE(a, b)
#define TEXT(a) #a
#define QUOTED(a) TEXT(a)

INLINE const struct program *program_at(const char *base, uint32_t address) { return (const struct program *)(const void *)(base + address); }

INLINE const struct layer *layers_of(const struct program *program) { return (const struct layer *)(const void *)(program + 1); }

INLINE struct row *rows_of(char *base, const struct program *program) { return (struct row *)(void *)(base + program->rows); }

INLINE uint32_t state_of(const char *base, const struct program *program, uint32_t i) {
  const uint32_t *slots = (const uint32_t *)(const void *)(base + program->slots);
  return program->states + slots[i] * program->stride;
}

static void copy(char *base, uint32_t to, uint32_t from, uint32_t floats) {
  for (uint32_t k = 0; k < floats; k += LANES) store(written_at(base, to) + k, load(floats_at(base, from) + k));
}

INLINE const float *peephole_of(const char *base, const struct layer *layer) { return layer->peephole == 0 ? NULL : floats_at(base, layer->peephole); }

INLINE struct block block_of(const char *base, const struct program *program, const struct layer *layer, uint32_t weights) {
  const struct block block = {floats_at(base, weights), program->cell == CELL_GRU ? GRU : VECTORS, layer->width, program->hidden};
  return block;
}

/* One step of the layer for n rows. */
static void run_layer(char *base, const struct program *program, const struct layer *layer, const struct row *rows, uint32_t n) {
  const struct block block = block_of(base, program, layer, layer->weights);
  if (program->cell == CELL_RNN) squashed_layer(base, rows, n, block, program->hidden, program->next_stride / 4);
  else if (program->cell == CELL_GRU_BEFORE)
    gru_before_layer(base, rows, n, block, block_of(base, program, layer, layer->candidate), program->sums, program->sums_stride);
  else gated_layer(base, rows, n, block, written_at(base, program->sums), peephole_of(base, layer));
}

/* The layer's recurrence over n rows: each row's h is the `out` of the row before. */
static void run_recurrence(char *base, const struct program *program, const struct layer *layer, const struct row *rows, uint32_t n) {
  if (program->cell == CELL_LSTM || program->cell == CELL_GRU) {
    const struct block block = block_of(base, program, layer, layer->weights);
    gated_run(base, rows, n, block, written_at(base, program->sums), program->sums_stride / 4, peephole_of(base, layer));
  } else {
    for (uint32_t i = 0; i < n; i += 1) run_layer(base, program, layer, rows + i, 1);
  }
}

static void head(char *base, const struct program *program, uint32_t n) {
  /* A few outputs are most often one vector. */
  const struct block block = {floats_at(base, program->head), program->head_vectors == 1 ? NARROW : VECTORS, program->head_width, program->hidden};
  affine_layer(base, rows_of(base, program), n, block, program->head_places, program->head_places);
}

/* What the first recurrent layer reads of row i. */
INLINE uint32_t first_input(const struct program *program, uint32_t i) {
  return program->input_layer == 0 ? program->inputs + i * program->input_stride : program->projected + i * program->projected_stride;
}

INLINE void place_head(char *base, const struct program *program, uint32_t i, uint32_t h) {
  const struct row row = {first_input(program, i), h, h, program->outputs + i * program->head_places * 4};
  rows_of(base, program)[i] = row;
}

/* v = tanh(W x + b) or max(0, W x + b), where the network has an input layer. */
static void project(char *base, const struct program *program, uint32_t n) {
  if (program->input_layer == 0 || n == 0) return;
  struct row *rows = rows_of(base, program);
  const uint32_t stride = program->projected_stride;
  for (uint32_t i = 0; i < n; i += 1) {
    const uint32_t x = program->inputs + i * program->input_stride;
    const struct row row = {x, x, x, program->projected + i * stride};
    rows[i] = row;
  }
  const struct block block = {floats_at(base, program->input_layer), VECTORS, program->input_width, 0};
  if (program->input_activation == ACTIVATION_RELU) rectified_layer(base, rows, n, block, stride / 4, stride / 4);
  else squashed_layer(base, rows, n, block, stride / 4, stride / 4);
}

static void step(char *base, uint32_t address, uint32_t n) {
  const struct program *program = program_at(base, address);
  const struct layer *layers = layers_of(program);
  struct row *rows = rows_of(base, program);
  project(base, program, n);
  for (uint32_t l = 0; l < program->layers; l += 1) {
    const struct layer *layer = layers + l;
    for (uint32_t i = 0; i < n; i += 1) {
      const uint32_t state = state_of(base, program, i);
      /* The h of the layer below is the x of an upper one. */
      const uint32_t x = l == 0 ? first_input(program, i) : state + layers[l - 1].h_at;
      const struct row row = {x, state + layer->h_at, state + layer->c_at, program->next + i * program->next_stride};
      rows[i] = row;
    }
    run_layer(base, program, layer, rows, n);
    for (uint32_t i = 0; i < n; i += 1) copy(base, rows[i].h, rows[i].out, program->hidden);
  }
  for (uint32_t i = 0; i < n; i += 1) place_head(base, program, i, state_of(base, program, i) + layers[program->layers - 1].h_at);
  head(base, program, n);
}

/* Layer by layer: the layer's input product for all steps, then its recurrence. */
static void run(char *base, uint32_t address, uint32_t n) {
  const struct program *program = program_at(base, address);
  const struct layer *layers = layers_of(program);
  struct row *rows = rows_of(base, program);
  const uint32_t state = state_of(base, program, 0), stride = program->next_stride;
  if (n == 0) return;
  project(base, program, n);
  /* Two sequences of h in turn: a layer reads the one that the layer below has made. */
  uint32_t below = 0, next = program->next;
  for (uint32_t l = 0; l < program->layers; l += 1) {
    const struct layer *layer = layers + l;
    const uint32_t h = state + layer->h_at;
    for (uint32_t i = 0; i < n; i += 1) {
      const uint32_t x = l == 0 ? first_input(program, i) : below + i * stride;
      const struct row row = {x, i == 0 ? h : next + (i - 1) * stride, state + layer->c_at, next + i * stride};
      rows[i] = row;
    }
    run_recurrence(base, program, layer, rows, n);
    copy(base, h, next + (n - 1) * stride, program->hidden);
    below = next;
    next = program->next + (l % 2 == 0 ? n * stride : 0);
  }
  for (uint32_t i = 0; i < n; i += 1) place_head(base, program, i, below + i * stride);
  head(base, program, n);
}

const struct kernel NAMED(kernel_, KERNEL) = {QUOTED(KERNEL), LANES, step, run};
