/**
 * The one product that training needs, over float64 values in one memory. Each output adds its terms one by one in the order of `depth`, so a
 * result has one definition: the WebAssembly kernel, which holds two columns in a vector, gives the same bits as the loop here.
 */
import { readFileSync } from 'node:fs';

/** out[r][c] += x[r][0] * w[0][c], then x[r][1] * w[1][c], ... Places and steps count float64 values; a step may be negative. */
export interface Product {
  readonly out: number;
  readonly outRow: number;
  readonly x: number;
  /** From row to row of x. */
  readonly xRow: number;
  /** From term to term of x. */
  readonly xTerm: number;
  readonly w: number;
  readonly wTerm: number;
  readonly rows: number;
  /** Neighbours in `out` and in `w`. */
  readonly columns: number;
  /** Terms of each sum. */
  readonly depth: number;
}

/** All numbers of a training run: weights, gradients and what the backward pass needs. */
export interface TrainingMemory {
  readonly values: Float64Array;
  /** Adds a product; its parts do not overlap. */
  addProduct(product: Product): void;
}

export type ProductsChoice = 'auto' | 'wasm' | 'script';

/** Compiled by `npm run build` from libs/nn/kernel/assembly/training. */
const KERNEL_FILE = new URL('../training.wasm', import.meta.url);
const PAGE_BYTES = 65_536;
const PAGES_MAX = 65_536;

/** A memory of `count` zeros. `auto` takes the WebAssembly kernel where it is compiled and the memory fits it, else the plain loop. */
export function createTrainingMemory(count: number, choice: ProductsChoice = 'auto'): TrainingMemory {
  const pages = Math.max(1, Math.ceil((count * 8) / PAGE_BYTES));
  const module = choice === 'script' || pages > PAGES_MAX ? null : kernelModule(choice === 'wasm');
  if (module === null) {
    const values = new Float64Array(count);
    return { values, addProduct: (product) => addProductInScript(values, product) };
  }
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { add } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as { add: KernelAdd };
  return {
    values: new Float64Array(memory.buffer, 0, count),
    addProduct: ({ out, outRow, x, xRow, xTerm, w, wTerm, rows, columns, depth }) =>
      add(out, outRow, x, xRow, xTerm, w, wTerm, rows, columns, depth),
  };
}

type KernelAdd = (
  ...places: readonly [
    out: number,
    outRow: number,
    x: number,
    xRow: number,
    xTerm: number,
    w: number,
    wTerm: number,
    rows: number,
    columns: number,
    depth: number,
  ]
) => void;

function kernelModule(required: boolean): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(readFileSync(KERNEL_FILE));
  } catch (cause) {
    if (!required) return null;
    throw new Error("The training kernel is not compiled: run 'npm run build' in Tideline's folder.", { cause });
  }
}

/** Four columns at a time share each load of x. */
function addProductInScript(v: Float64Array, product: Product): void {
  const { out, outRow, x, xRow, xTerm, w, wTerm, rows, columns, depth } = product;
  for (let r = 0; r < rows; r += 1) {
    const outAt = out + r * outRow;
    const xAt = x + r * xRow;
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      let [s0, s1, s2, s3] = [v[outAt + c], v[outAt + c + 1], v[outAt + c + 2], v[outAt + c + 3]];
      for (let k = 0; k < depth; k += 1) {
        const value = v[xAt + k * xTerm];
        const at = w + k * wTerm + c;
        s0 += value * v[at];
        s1 += value * v[at + 1];
        s2 += value * v[at + 2];
        s3 += value * v[at + 3];
      }
      v[outAt + c] = s0;
      v[outAt + c + 1] = s1;
      v[outAt + c + 2] = s2;
      v[outAt + c + 3] = s3;
    }
    for (; c < columns; c += 1) {
      let sum = v[outAt + c];
      for (let k = 0; k < depth; k += 1) sum += v[xAt + k * xTerm] * v[w + k * wTerm + c];
      v[outAt + c] = sum;
    }
  }
}
