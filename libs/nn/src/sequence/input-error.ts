/** A sequence that a model cannot read. The message names the step and value, what was found and the cure; nothing was computed. */
export class InputError extends Error {
  readonly code = 'INPUT_INVALID';

  constructor(message: string) {
    super(message);
    this.name = 'InputError';
  }
}

/**
 * Steps of values [steps][size]. Throws InputError where they are no whole steps, none at all, or not finite: in a complete sequence one NaN
 * spoils the output of every step.
 */
export function stepsOf(values: Float32Array, size: number, what: string): number {
  const steps = values.length / size;
  if (!Number.isInteger(steps) || steps === 0)
    throw new InputError(
      `${what}: ${values.length} values are no whole steps of ${size}. Give [steps][${size}], one step at least.`,
    );
  assertFinite(values, size, what);
  return steps;
}

/** Throws InputError at the first value of [steps][size] that is not finite. */
export function assertFinite(values: Float32Array, size: number, what: string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new InputError(
      `${what}: value ${bad % size} of step ${Math.floor(bad / size)} is ${values[bad]}. Fill or cut the gap first.`,
    );
}

/** Throws InputError where an array has not the length that its shape says. */
export function assertLength(values: Float32Array, expected: number, what: string): void {
  if (values.length !== expected)
    throw new InputError(`${what}: ${values.length} values, its shape needs ${expected}.`);
}
