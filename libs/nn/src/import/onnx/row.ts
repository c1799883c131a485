/**
 * Symbolic vectors: what a row of a tensor is as a function of the model's inputs and states, as far as a recurrent cell needs it.
 *
 * A row is a concatenation of parts. A part of length n is  bias + sum_t factor_t * product_t,  where a product is an elementwise product of
 * atoms of length m, and a factor is a number (m = n), a vector (elementwise, m = n) or a matrix [n][m]. Atoms are compared by identity: each
 * value of the graph is built once, and slices of an atom are kept.
 */
import type { RecurrentLayer } from './recurrent-layer.ts';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** [rows][columns] */
  readonly values: Float64Array;
}

export type Factor = number | Float64Array | Matrix;

export interface Term {
  readonly factor: Factor;
  /** One atom or more, in the order of their ids. */
  readonly product: readonly Atom[];
}

export interface Part {
  readonly length: number;
  /** undefined: zero. */
  readonly bias: Float64Array | undefined;
  readonly terms: readonly Term[];
}

export type Row = readonly Part[];

/** What an atom stands for. `from`: where a slice starts in the whole. */
export type AtomKind =
  /** Values of a graph input; `index`: which of its rows. */
  | { readonly kind: 'input'; readonly name: string; readonly index: number; readonly from: number }
  /** The hidden or cell state that a recurrent node gives. */
  | { readonly kind: 'state'; readonly layer: RecurrentLayer; readonly state: 'h' | 'c'; readonly from: number }
  | { readonly kind: 'sigmoid' | 'tanh' | 'value'; readonly of: Part };

export interface Atom {
  readonly id: number;
  readonly length: number;
  readonly is: AtomKind;
}

export function isMatrix(factor: Factor): factor is Matrix {
  return typeof factor === 'object' && 'rows' in factor;
}

export function rowLength(row: Row): number {
  return row.reduce((sum, { length }) => sum + length, 0);
}

/** A part that is one atom and nothing else. */
export function partOf(atom: Atom): Part {
  return { length: atom.length, bias: undefined, terms: [{ factor: 1, product: [atom] }] };
}

/** The atom that a part is, if it is one alone. */
export function soleAtom(part: Part): Atom | undefined {
  const [term] = part.terms;
  const isSole = part.terms.length === 1 && part.bias === undefined && term.factor === 1 && term.product.length === 1;
  return isSole ? term.product[0] : undefined;
}

/** Whether two parts are the same function: equal constants over the same atoms. */
export function isSamePart(a: Part, b: Part): boolean {
  if (a === b) return true;
  if (a.length !== b.length || a.terms.length !== b.terms.length || !isSameVector(a.bias, b.bias)) return false;
  return a.terms.every((term) =>
    b.terms.some((other) => isSameProduct(term.product, other.product) && isSameFactor(term.factor, other.factor)),
  );
}

export function isSameProduct(a: readonly Atom[], b: readonly Atom[]): boolean {
  return a.length === b.length && a.every((atom, i) => atom === b[i]);
}

function isSameFactor(a: Factor, b: Factor): boolean {
  if (isMatrix(a) && isMatrix(b)) return a.columns === b.columns && isSameVector(a.values, b.values);
  if (a instanceof Float64Array && b instanceof Float64Array) return isSameVector(a, b);
  return a === b;
}

function isSameVector(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  if (!a || !b) return a === b;
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
