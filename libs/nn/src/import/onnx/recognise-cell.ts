/**
 * Recognises the steps of recurrent cells in elementary operations, by their algebra and not by the order or the names of nodes:
 *   RNN   h' = tanh(A)
 *   LSTM  h' = s(O) tanh(c'), c' = s(F) c + s(I) tanh(G)
 *   GRU   h' = n - z n + z h (or, Cho's, z n + h - z h), n = tanh(N + r (U h + b)) or n = tanh(N + U (r h)), z = s(Z), r = s(R)
 * where every capital is affine in h and in what the layer reads.
 */
import type { CellKind, GruReset } from '../../model.ts';
import type { RecurrentLayer, StateInput } from './recurrent-layer.ts';
import { type Atom, isMatrix, type Matrix, type Part, partOf, soleAtom, type Term } from './row.ts';
import { vector } from './row-algebra.ts';

/** Whether the graph gives `next` as the new value of the state input `atom`. */
export type IsCarried = (atom: Atom, next: Part) => boolean;

/** An affine gate: bias + h * matrix + sum of x * matrix. */
interface Gate {
  readonly bias: Float64Array;
  readonly h: Matrix | undefined;
  readonly x: ReadonlyMap<Atom, Matrix>;
  readonly recurrentBias?: Float64Array;
}

interface Found {
  readonly cell: CellKind;
  readonly gruReset?: GruReset;
  readonly h: Atom;
  readonly c?: Atom;
  readonly cellState?: Part;
  readonly gates: readonly Gate[];
}

/** The layer whose new hidden state `next` is, or undefined. */
export function recogniseCell(next: Part, from: string, isCarried: IsCarried): RecurrentLayer | undefined {
  const found = lstm(next, isCarried) ?? gru(next, isCarried) ?? rnn(next, isCarried);
  if (!found) return undefined;
  const { cell, gruReset, h, c, cellState, gates } = found;
  const hiddenSize = next.length;
  const inputs = [...new Set(gates.flatMap(({ x }) => [...x.keys()]))].sort(byPlace);
  const columns = inputs.reduce((sum, { length }) => sum + length, 0);
  const rows = gates.length * hiddenSize;
  const weights = {
    wIh: new Float32Array(rows * columns),
    wHh: new Float32Array(rows * hiddenSize),
    bIh: new Float32Array(rows),
    bHh: new Float32Array(rows),
  };
  gates.forEach((gate, g) => {
    const top = g * hiddenSize;
    weights.bIh.set(gate.bias, top);
    if (gate.recurrentBias) weights.bHh.set(gate.recurrentBias, top);
    if (gate.h) weights.wHh.set(gate.h.values, top * hiddenSize);
    let left = 0;
    for (const atom of inputs) {
      const matrix = gate.x.get(atom);
      for (let r = 0; matrix && r < hiddenSize; r += 1)
        weights.wIh.set(matrix.values.subarray(r * atom.length, (r + 1) * atom.length), (top + r) * columns + left);
      left += atom.length;
    }
  });
  return {
    where: `${from}: the ${cell} step`,
    cell,
    ...(gruReset && { gruReset }),
    hiddenSize,
    input: inputs.map(partOf),
    weights,
    next: { h: next, c: cellState },
    states: { h: stateInput(h), c: c && stateInput(c) },
  };
}

/** Slices of one input in their order. */
function byPlace(a: Atom, b: Atom): number {
  return a.is.kind === 'input' && b.is.kind === 'input' ? a.is.from - b.is.from : a.id - b.id;
}

function stateInput({ is }: Atom): StateInput | undefined {
  return is.kind === 'input' ? { name: is.name, index: is.index } : undefined;
}

function lstm(next: Part, isCarried: IsCarried): Found | undefined {
  const [output, ...others] = products(next, 1) ?? [];
  if (!output || others.length > 0) return undefined;
  const o = only(output, 'sigmoid');
  const cellState = only(output, 'tanh');
  const sums = cellState && products(cellState, 1);
  if (!o || !cellState || sums?.length !== 2) return undefined;
  const kept = sums.find((product) => product.some(({ is }) => is.kind === 'input'));
  const added = sums.find((product) => product !== kept);
  const c = kept?.find(({ is }) => is.kind === 'input');
  const [f, i, g] = [kept && only(kept, 'sigmoid'), added && only(added, 'sigmoid'), added && only(added, 'tanh')];
  if (!c || !f || !i || !g || !isCarried(c, cellState)) return undefined;
  const h = stateOf([i, f, g, o], next, isCarried);
  const gates = h && allGates([i, f, g, o], h);
  return gates && { cell: 'lstm', h, c, cellState, gates };
}

function rnn(next: Part, isCarried: IsCarried): Found | undefined {
  const atom = soleAtom(next);
  if (atom?.is.kind !== 'tanh') return undefined;
  const h = stateOf([atom.is.of], next, isCarried);
  const gates = h && allGates([atom.is.of], h);
  return gates && { cell: 'rnn', h, gates };
}

function gru(next: Part, isCarried: IsCarried): Found | undefined {
  if (next.terms.length !== 3 || next.bias) return undefined;
  const isInput = (atom: Atom): boolean => atom.is.kind === 'input';
  const factorOf = (atoms: number, withInput: boolean): Term | undefined =>
    next.terms.find(({ product }) => product.length === atoms && product.some(isInput) === withInput);
  const [n1, h1, zn, zh] = [factorOf(1, false), factorOf(1, true), factorOf(2, false), factorOf(2, true)];
  const n = zn?.product.find(({ is }) => is.kind === 'tanh');
  const z = zn?.product.find(({ is }) => is.kind === 'sigmoid');
  const h = zh?.product.find(isInput);
  if (!n || !z || !h || !zh?.product.includes(z) || !isCarried(h, next)) return undefined;
  const isOurs = n1?.product[0] === n && n1.factor === 1 && zn?.factor === -1 && zh.factor === 1;
  const isInverse = h1?.product[0] === h && h1.factor === 1 && zh.factor === -1 && zn?.factor === 1;
  if ((!isOurs && !isInverse) || n.is.kind !== 'tanh' || z.is.kind !== 'sigmoid') return undefined;
  const candidate = candidateOf(n.is.of, h);
  const gateZ = gateOf(z.is.of, h);
  const gateR = candidate && gateOf(candidate.r, h);
  if (!candidate || !gateZ || !gateR) return undefined;
  const gates = [gateR, isOurs ? gateZ : negated(gateZ), candidate.gate];
  return { cell: 'gru', gruReset: candidate.reset, h, gates };
}

/** 1 - s(a) = s(-a). */
function negated({ bias, h, x }: Gate): Gate {
  const minus = (matrix: Matrix): Matrix => ({ ...matrix, values: matrix.values.map((value) => -value) });
  return {
    bias: bias.map((value) => -value),
    h: h && minus(h),
    x: new Map([...x].map(([atom, matrix]) => [atom, minus(matrix)])),
  };
}

/** The candidate's two parts: what is read, and what the reset gate r stands before. */
function candidateOf(part: Part, h: Atom): { reset: GruReset; r: Part; gate: Gate } | undefined {
  for (const term of part.terms) {
    const rest = gateOf({ ...part, terms: part.terms.filter((other) => other !== term) }, h);
    if (!rest || rest.h) continue;
    const r = only(term.product, 'sigmoid');
    const recurrent = term.product.find(({ is }) => is.kind === 'value' || is === h.is);
    if (term.factor === 1 && term.product.length === 2 && r && recurrent) {
      const inner = gateOf(recurrent.is.kind === 'value' ? recurrent.is.of : partOf(recurrent), h);
      if (inner && inner.x.size === 0)
        return { reset: 'after', r, gate: { ...rest, h: inner.h, recurrentBias: inner.bias } };
    }
    const [atom] = term.product;
    const reset = atom.is.kind === 'value' ? products(atom.is.of, 1) : undefined;
    const before = reset?.length === 1 && reset[0].includes(h) ? only(reset[0], 'sigmoid') : undefined;
    if (term.product.length === 1 && isMatrix(term.factor) && before)
      return { reset: 'before', r: before, gate: { ...rest, h: term.factor } };
  }
  return undefined;
}

/** The state input that `next` is the new value of; where an input of the step looks the same, the graph's first one is the step's input. */
function stateOf(gates: readonly Part[], next: Part, isCarried: IsCarried): Atom | undefined {
  const atoms = new Set(gates.flatMap(({ terms }) => terms.flatMap(({ product }) => product)));
  return [...atoms].filter((atom) => atom.is.kind === 'input' && isCarried(atom, next)).at(-1);
}

function allGates(parts: readonly Part[], h: Atom): Gate[] | undefined {
  const gates = parts.map((part) => gateOf(part, h));
  return gates.every((gate) => gate !== undefined) ? gates : undefined;
}

function gateOf(part: Part, state: Atom): Gate | undefined {
  let h: Matrix | undefined;
  const x = new Map<Atom, Matrix>();
  for (const { factor, product } of part.terms) {
    if (product.length !== 1) return undefined;
    const matrix = isMatrix(factor) ? factor : diagonal(vector(factor, part.length));
    if (product[0] === state) h = matrix;
    else x.set(product[0], matrix);
  }
  return { bias: part.bias ?? new Float64Array(part.length), h, x };
}

function diagonal(values: Float64Array): Matrix {
  const size = values.length;
  const matrix = new Float64Array(size * size);
  values.forEach((value, i) => {
    matrix[i * size + i] = value;
  });
  return { rows: size, columns: size, values: matrix };
}

/** The products of two atoms that a part is the plain sum of. */
function products(part: Part, factor: number): (readonly Atom[])[] | undefined {
  const isPlain =
    part.bias === undefined && part.terms.every((term) => term.factor === factor && term.product.length === 2);
  return isPlain ? part.terms.map(({ product }) => product) : undefined;
}

/** What the one atom of this kind in a product is of. */
function only(product: readonly Atom[], kind: 'sigmoid' | 'tanh'): Part | undefined {
  const found = product.flatMap(({ is }) => (is.kind === kind ? [is.of] : []));
  return found.length === 1 ? found[0] : undefined;
}
