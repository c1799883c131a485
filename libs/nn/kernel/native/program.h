/*
 * The network as the kernel reads it: the words of ../assembly/program.ts, which says what each one is. Addresses are bytes from the memory's base.
 */
#ifndef TIDELINE_PROGRAM_H
#define TIDELINE_PROGRAM_H

#include <stdint.h>

/* As in ../assembly/program.ts. */
#define LAYOUT 2

struct program {
  uint32_t layers;
  uint32_t cell;
  uint32_t hidden;
  uint32_t states;
  uint32_t stride;
  uint32_t slots;
  uint32_t inputs;
  uint32_t input_stride;
  uint32_t outputs;
  uint32_t head_places;
  uint32_t head;
  uint32_t rows;
  uint32_t next;
  uint32_t next_stride;
  uint32_t sums;
  uint32_t sums_stride;
  uint32_t head_vectors;
  uint32_t input_layer;
  uint32_t input_width;
  uint32_t projected;
  uint32_t projected_stride;
  uint32_t head_width;
  uint32_t input_activation;
};

/* The layers follow the program's words. */
struct layer {
  uint32_t weights;
  uint32_t width;
  uint32_t h_at;
  uint32_t c_at;
  uint32_t peephole;
  uint32_t candidate;
};

/* Where one row finds its vectors: addresses, in the scratch at `rows`. */
struct row {
  uint32_t x;
  uint32_t h;
  uint32_t c;
  uint32_t out;
};

enum { ACTIVATION_NONE, ACTIVATION_TANH, ACTIVATION_RELU };
enum { CELL_RNN, CELL_LSTM, CELL_GRU, CELL_GRU_BEFORE };

#endif
