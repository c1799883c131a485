import assert from 'node:assert/strict';
import type { Engine } from '../engine.ts';

type Batch = Parameters<Engine['step']>[0];

/** A message is built only when a check fails: these run for every step of the hot path. */

/** Throws AssertionError unless a step has as many slots as rows. */
export function assertPaired({ slots, rows }: Batch): void {
  if (slots.length !== rows.length) assert.fail(`A step has ${slots.length} slots and ${rows.length} rows.`);
}

/** Throws AssertionError where a row lies outside inputs [rows][inputSize] or outputs [rows][outputSize]. */
export function assertRows(
  engine: Pick<Engine, 'inputSize' | 'outputSize'>,
  { rows, inputs, outputs }: Pick<Batch, 'rows' | 'inputs' | 'outputs'>,
): void {
  const end = Math.min(Math.floor(inputs.length / engine.inputSize), Math.floor(outputs.length / engine.outputSize));
  for (let i = 0; i < rows.length; i += 1)
    if (rows[i] >= end)
      assert.fail(`Row ${rows[i]} lies outside inputs of ${inputs.length} or outputs of ${outputs.length} values.`);
}
