import type { ModelSpec } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { assertSpec, unknownField } from '../spec.ts';

/** Throws ModelError where the spec is none, or asks for something whose gradient is not here: it is refused, not trained as if it did not ask. */
export function assertTrainable(spec: ModelSpec): void {
  assertSpec(spec);
  const field = untrainable(spec);
  if (field !== null)
    throw new ModelError(
      `Model '${spec.name}': it can be run, but the gradient of ${field} is not here. Leave ${field} out, or train it elsewhere and import it.`,
    );
}

function untrainable(spec: ModelSpec): string | null {
  if (spec.decoder) return 'decoder';
  if (spec.textEncoder) return 'textEncoder';
  if (spec.bidirectional && spec.head?.scope === 'last-step') return "head.scope 'last-step' over both directions";
  return unknownField(spec);
}
