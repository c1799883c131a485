import { ImportError } from '../import-error.ts';
import {
  type Atom,
  type AtomKind,
  type Factor,
  isMatrix,
  isSameProduct,
  type Matrix,
  type Part,
  partOf,
  type Row,
  rowLength,
  type Term,
} from './row.ts';

/** Terms a part at most, atoms a product at most: far above any cell's. */
const TERMS_MAX = 32;
const PRODUCT_MAX = 8;
/** Values of a constant that an operation makes, at most: a layer of 2,000 units has as many. */
const VALUES_MAX = 2 ** 25;
/** All of them together. */
const VALUES_SUM_MAX = 2 ** 26;
/** Multiply-adds and values that understanding one file may take: a few seconds. */
const WORK_MAX = 2 ** 31;
/** What handling a part or an atom costs beside its values. */
const PART_WORK = 512;

/** Builds rows. One algebra belongs to one graph: it numbers atoms, keeps their slices and bounds the work. */
export class RowAlgebra {
  #atoms = 0;
  #work = 0;
  #values = 0;
  readonly #slices = new Map<Atom, Map<string, Atom>>();
  readonly #wrapped = new WeakMap<Part, Atom>();

  /** Counts work. Throws ImportError where a file asks for more than a model can need. */
  spend(work: number): void {
    this.#work += work;
    if (!(this.#work <= WORK_MAX))
      throw new ImportError(
        `The graph takes more than ${WORK_MAX} operations to fold its constants. Simplify it (onnxsim) or export it again.`,
      );
  }

  /** Counts values that an operation is about to make. Throws ImportError where they are more than a model's weights can be. */
  claim(values: number): void {
    this.#values += values;
    if (!(values <= VALUES_MAX && this.#values <= VALUES_SUM_MAX))
      throw new ImportError(
        `The graph makes constants of ${values} values, at most ${VALUES_MAX} (${VALUES_SUM_MAX} together) are folded. Simplify it (onnxsim).`,
      );
    this.spend(values);
  }

  atom(is: AtomKind, length: number): Atom {
    this.spend(PART_WORK);
    this.#atoms += 1;
    return { id: this.#atoms, length, is };
  }

  constant(values: ArrayLike<number>): Part {
    return { length: values.length, bias: Float64Array.from(values), terms: [] };
  }

  /** sigmoid or tanh of each element. */
  activate(kind: 'sigmoid' | 'tanh', row: Row): Row {
    return row.map((part) => partOf(this.atom({ kind, of: part }, part.length)));
  }

  /** Elements [from, to) of a row. */
  slice(row: Row, from: number, to: number): Row {
    this.spend(row.length * PART_WORK);
    const parts: Part[] = [];
    let at = 0;
    for (const part of row) {
      const a = Math.max(from - at, 0);
      const b = Math.min(to - at, part.length);
      if (a < b) parts.push(a === 0 && b === part.length ? part : this.#slicePart(part, a, b));
      at += part.length;
    }
    return parts;
  }

  /** a + scale * b, elementwise. */
  add(a: Row, b: Row, scale = 1): Row {
    return this.#pairs(a, b, (x, y) => this.#addParts(x, scale === 1 ? y : this.#scalePart(y, scale)));
  }

  /** a * b, elementwise. */
  multiply(a: Row, b: Row): Row {
    return this.#pairs(a, b, (x, y) => this.#multiplyParts(x, y));
  }

  /** row * matrix, where `matrix` [inputs][outputs] is given as its transpose [outputs][inputs]. */
  project(row: Row, transposed: Matrix): Part {
    const { rows, columns } = transposed;
    let at = 0;
    let result: Part = { length: rows, bias: undefined, terms: [] };
    for (const part of row) {
      this.spend(rows * part.length);
      const block = new Float64Array(rows * part.length);
      for (let r = 0; r < rows; r += 1)
        block.set(transposed.values.subarray(r * columns + at, r * columns + at + part.length), r * part.length);
      result = this.#addParts(result, this.#projectPart(part, { rows, columns: part.length, values: block }));
      at += part.length;
    }
    return result;
  }

  #pairs(a: Row, b: Row, combine: (x: Part, y: Part) => Part): Row {
    this.spend(rowLength(a) + (a.length + b.length) * PART_WORK);
    const cuts = new Set<number>();
    for (const row of [a, b]) {
      let at = 0;
      for (const { length } of row) {
        at += length;
        cuts.add(at);
      }
    }
    let from = 0;
    return [...cuts]
      .sort((x, y) => x - y)
      .map((to) => {
        const [x] = this.slice(a, from, to);
        const [y] = this.slice(b, from, to);
        from = to;
        return combine(x, y);
      });
  }

  #slicePart(part: Part, from: number, to: number): Part {
    this.spend(to - from);
    return {
      length: to - from,
      bias: part.bias?.subarray(from, to),
      terms: part.terms.map(({ factor, product }) => {
        if (isMatrix(factor)) {
          const values = factor.values.subarray(from * factor.columns, to * factor.columns);
          return { factor: { rows: to - from, columns: factor.columns, values }, product };
        }
        const sliced = product.map((atom) => this.#sliceAtom(atom, from, to)).sort((a, b) => a.id - b.id);
        return { factor: factor instanceof Float64Array ? factor.subarray(from, to) : factor, product: sliced };
      }),
    };
  }

  #sliceAtom(atom: Atom, from: number, to: number): Atom {
    const slices = this.#slices.get(atom) ?? new Map<string, Atom>();
    this.#slices.set(atom, slices);
    const key = `${from}:${to}`;
    const kept = slices.get(key);
    if (kept) return kept;
    const { is } = atom;
    const sliced = this.atom(
      'of' in is ? { kind: is.kind, of: this.#slicePart(is.of, from, to) } : { ...is, from: is.from + from },
      to - from,
    );
    slices.set(key, sliced);
    return sliced;
  }

  #addParts(a: Part, b: Part): Part {
    const terms = [...a.terms];
    for (const term of b.terms) {
      const at = terms.findIndex(({ product }) => isSameProduct(product, term.product));
      if (at === -1) terms.push(term);
      else terms[at] = { product: term.product, factor: this.#addFactors(terms[at].factor, term.factor, a.length) };
    }
    const bias = a.bias && b.bias ? a.bias.map((value, i) => value + (b.bias?.[i] ?? 0)) : (a.bias ?? b.bias);
    return this.#bounded({ length: a.length, bias, terms: terms.filter(({ factor }) => factor !== 0) });
  }

  #addFactors(a: Factor, b: Factor, length: number): Factor {
    if (typeof a === 'number' && typeof b === 'number') return a + b;
    if (!isMatrix(a) && !isMatrix(b)) {
      const y = vector(b, length);
      return plain(vector(a, length).map((value, i) => value + y[i]));
    }
    const [x, y] = [this.#asMatrix(a, length), this.#asMatrix(b, length)];
    this.spend(x.values.length);
    return { ...x, values: x.values.map((value, i) => value + y.values[i]) };
  }

  #asMatrix(factor: Factor, length: number): Matrix {
    if (isMatrix(factor)) return factor;
    this.claim(length * length);
    const values = new Float64Array(length * length);
    const diagonal = vector(factor, length);
    for (let i = 0; i < length; i += 1) values[i * length + i] = diagonal[i];
    return { rows: length, columns: length, values };
  }

  #scalePart(part: Part, scale: number | Float64Array): Part {
    const by = (i: number): number => (typeof scale === 'number' ? scale : scale[i]);
    return {
      length: part.length,
      bias: part.bias?.map((value, i) => value * by(i)),
      terms: part.terms.map(({ factor, product }) => {
        if (typeof factor === 'number' && typeof scale === 'number') return { factor: factor * scale, product };
        if (!isMatrix(factor)) return { factor: plain(vector(factor, part.length).map((v, i) => v * by(i))), product };
        this.spend(factor.values.length);
        const values = factor.values.map((value, at) => value * by(Math.floor(at / factor.columns)));
        return { factor: { ...factor, values }, product };
      }),
    };
  }

  #multiplyParts(a: Part, b: Part): Part {
    this.spend(a.terms.length * b.terms.length * a.length);
    if (a.terms.length === 0) return this.#scalePart(b, plain(a.bias ?? new Float64Array(a.length)));
    if (b.terms.length === 0) return this.#multiplyParts(b, a);
    const [x, y] = [this.#elementwise(a), this.#elementwise(b)];
    let result = x.bias ? this.#scalePart({ ...y, bias: undefined }, plain(x.bias)) : emptyPart(a.length);
    if (y.bias) result = this.#addParts(result, this.#scalePart({ ...x, bias: undefined }, plain(y.bias)));
    if (x.bias && y.bias) result = this.#addParts(result, this.constant(x.bias.map((v, i) => v * (y.bias?.[i] ?? 0))));
    for (const s of x.terms)
      for (const t of y.terms) {
        const product = [...s.product, ...t.product].sort((p, q) => p.id - q.id);
        const factor = multiplyFactors(s.factor, t.factor, a.length);
        result = this.#addParts(result, { length: a.length, bias: undefined, terms: [{ factor, product }] });
      }
    return result;
  }

  /** A part without matrices: one that has some is taken as an atom of its own. */
  #elementwise(part: Part): Part {
    return part.terms.some(({ factor }) => isMatrix(factor)) ? partOf(this.#wrap(part)) : part;
  }

  #wrap(part: Part): Atom {
    const atom = this.#wrapped.get(part) ?? this.atom({ kind: 'value', of: part }, part.length);
    this.#wrapped.set(part, atom);
    return atom;
  }

  #projectPart(part: Part, matrix: Matrix): Part {
    const isAffine = part.terms.length < 2 && part.terms.every(({ product }) => product.length === 1);
    if (!isAffine)
      return { length: matrix.rows, bias: undefined, terms: [{ factor: matrix, product: [this.#wrap(part)] }] };
    const bias = part.bias && this.#apply(matrix, part.bias);
    const terms = part.terms.map(({ factor, product }) => ({ factor: this.#compose(matrix, factor), product }));
    return { length: matrix.rows, bias, terms };
  }

  #apply({ rows, columns, values }: Matrix, by: Float64Array): Float64Array {
    this.spend(rows * columns);
    return Float64Array.from({ length: rows }, (_, r) => {
      let sum = 0;
      for (let k = 0; k < columns; k += 1) sum += values[r * columns + k] * by[k];
      return sum;
    });
  }

  #compose(matrix: Matrix, factor: Factor): Matrix {
    if (factor === 1) return matrix;
    const { rows, columns, values } = matrix;
    if (!isMatrix(factor)) {
      const by = vector(factor, columns);
      return { rows, columns, values: values.map((value, at) => value * by[at % columns]) };
    }
    this.spend(rows * columns * factor.columns);
    this.claim(rows * factor.columns);
    const result = new Float64Array(rows * factor.columns);
    for (let r = 0; r < rows; r += 1)
      for (let k = 0; k < columns; k += 1)
        for (let c = 0; c < factor.columns; c += 1)
          result[r * factor.columns + c] += values[r * columns + k] * factor.values[k * factor.columns + c];
    return { rows, columns: factor.columns, values: result };
  }

  #bounded(part: Part): Part {
    if (part.terms.length > TERMS_MAX || part.terms.some(({ product }) => product.length > PRODUCT_MAX))
      throw new ImportError(
        'The graph is no recurrent cell: a value in it has too many terms. Export one step of an RNN, GRU or LSTM.',
      );
    return part;
  }
}

export function emptyPart(length: number): Part {
  return { length, bias: undefined, terms: [] as Term[] };
}

/** A factor that is no matrix, as a vector. */
export function vector(factor: Factor, length: number): Float64Array {
  if (factor instanceof Float64Array) return factor;
  if (typeof factor === 'number') return new Float64Array(length).fill(factor);
  throw new TypeError('A matrix is no vector.');
}

/** A number where all elements are one number. */
export function plain(values: Float64Array): number | Float64Array {
  return values.every((value) => value === values[0]) ? (values[0] ?? 0) : values;
}

function multiplyFactors(a: Factor, b: Factor, length: number): number | Float64Array {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const y = vector(b, length);
  return plain(vector(a, length).map((value, i) => value * y[i]));
}
