/**
 * The network as the kernel reads it: u32 words, written by `src/engines/simd/program.ts` (the same list there, and in `native/program.h`). Addresses are
 * bytes in the memory. H is hiddenSize rounded up to whole vectors.
 */
/** Raised with every change of these words or of what they point to (the packed weights): a build of another number is refused when it is loaded. */
export const LAYOUT: u32 = 2;
export const LAYERS: usize = 0;
/** 0 RNN, 1 LSTM, 2 GRU with the reset after the product, 3 GRU with it before. */
export const CELL: usize = 4;
export const HIDDEN: usize = 8;
/** Slot s has its state at STATES + s * STRIDE: h of each layer, then c of each layer, H floats each. */
export const STATES: usize = 12;
export const STRIDE: usize = 16;
/** [rows] u32: the slot of each row; a run reads the first one only. */
export const SLOTS: usize = 20;
/** [rows][INPUT_STRIDE bytes] */
export const INPUTS: usize = 24;
export const INPUT_STRIDE: usize = 28;
/** [rows][HEAD_PLACES floats]: the head's sums. */
export const OUTPUTS: usize = 32;
/** Outputs rounded up to whole groups of 4 vectors. */
export const HEAD_PLACES: usize = 36;
export const HEAD: usize = 40;
/** Scratch: [rows] pointers x, h, c, out. */
export const ROWS: usize = 44;
/** Scratch: [2 * rows][NEXT_STRIDE bytes]: the h that a layer makes, H rounded up to a whole group; a run keeps two sequences. */
export const NEXT: usize = 48;
export const NEXT_STRIDE: usize = 52;
/** Scratch: [rows][SUMS_STRIDE bytes]. */
export const SUMS: usize = 56;
export const SUMS_STRIDE: usize = 60;
/** Vectors of HEAD_PLACES that hold outputs; the others are room. The native kernel leaves them out. */
export const HEAD_VECTORS: usize = 64;
/** Weights of the dense layer before the first recurrent one, or 0: the first recurrent layer reads the inputs. */
export const INPUT_LAYER: usize = 68;
/** Values of a row of INPUTS. */
export const INPUT_WIDTH: usize = 72;
/** Scratch: [rows][PROJECTED_STRIDE bytes]: what that layer makes, in whole groups of 4 vectors. */
export const PROJECTED: usize = 76;
export const PROJECTED_STRIDE: usize = 80;
/** Values of what the first recurrent layer reads that the head reads before h; 0: none. */
export const HEAD_WIDTH: usize = 84;
/** What the input layer makes of its sums: ACTIVATION_TANH or ACTIVATION_RELU. */
export const INPUT_ACTIVATION: usize = 88;
/** Each layer from here on: LAYER_BYTES of the words below. */
export const FIRST_LAYER: usize = 92;
export const LAYER_BYTES: usize = 24;
export const WEIGHTS: usize = 0;
export const WIDTH: usize = 4;
export const H_AT: usize = 8;
export const C_AT: usize = 12;
/** Peephole weights, or 0. */
export const PEEPHOLE: usize = 16;
/** GRU with the reset before: weights of the candidate. */
export const CANDIDATE: usize = 20;

export const CELL_RNN: u32 = 0;
export const CELL_LSTM: u32 = 1;
export const CELL_GRU: u32 = 2;
export const CELL_GRU_BEFORE: u32 = 3;

/** What an affine layer makes of its sums. */
export const ACTIVATION_NONE: u32 = 0;
export const ACTIVATION_TANH: u32 = 1;
export const ACTIVATION_RELU: u32 = 2;
