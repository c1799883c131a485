import type { ModelSpec } from '../model.ts';
import type { CellStep } from './cell.ts';
import { gruStep } from './gru.ts';
import { lstmStep } from './lstm.ts';
import { normGruStep } from './norm-gru.ts';
import { normLstmStep } from './norm-lstm.ts';
import { normRnnStep } from './norm-rnn.ts';
import { peepholeLstmStep } from './peephole-lstm.ts';
import { rnnStep } from './rnn.ts';

/** One layer's step by the spec's cell: the reference of every engine. */
export function cellOf(spec: ModelSpec): (step: CellStep) => void {
  const { cell, gruReset = 'after', peephole = false, layerNorm = false } = spec;
  switch (cell) {
    case 'rnn':
      return layerNorm ? normRnnStep : rnnStep;
    case 'lstm':
      if (peephole) return peepholeLstmStep;
      return layerNorm ? normLstmStep : lstmStep;
    case 'gru':
      return layerNorm ? (step) => normGruStep(step, gruReset) : (step) => gruStep(step, gruReset);
  }
}

/** float64 values of scratch that a step of the cell needs. */
export function scratchSizeOf({ hiddenSize, layerNorm = false }: ModelSpec): number {
  return (layerNorm ? 8 : 4) * hiddenSize;
}
