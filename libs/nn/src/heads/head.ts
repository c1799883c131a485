/** What a model's outputs mean. The network gives linear rows z = W h + b, [outputSize]; a head makes of them what the caller reads. */
import { ModelError } from '../model-error.ts';

/**
 * Which hidden states the head reads. h: the top layer's, [D*H].
 * `per-step`: each step's (many to many). `last-step`: the last step's of each direction (many to one). `sequence`: the mean over all steps
 * (many to one; mean pooling as in A. Conneau et al., "Supervised Learning of Universal Sentence Representations", 2017).
 */
export type HeadScope = 'per-step' | 'last-step' | 'sequence';

/**
 * `linear`: outputs = z.
 * `multi-quantile`: for each of outputSize / levels.length targets, quantiles at `levels` (rising, in (0, 1)) that cannot cross (`quantiles.ts`).
 * `classes`: probabilities of outputSize classes, softmax(z) (`softmax.ts`).
 * Streaming engines give z at every step; `headOf` makes the rest of it.
 */
export type HeadSpec =
  | { readonly kind: 'linear'; readonly scope?: HeadScope }
  | { readonly kind: 'multi-quantile'; readonly levels: readonly number[]; readonly scope?: HeadScope }
  | { readonly kind: 'classes'; readonly scope?: HeadScope };

export const HEAD_KINDS = ['linear', 'multi-quantile', 'classes'] as const satisfies readonly HeadSpec['kind'][];
export const HEAD_SCOPES = ['per-step', 'last-step', 'sequence'] as const satisfies readonly HeadScope[];

const LEVELS_MAX = 1024;

/** Throws ModelError that names the field of the head that no model of `outputSize` rows can have. */
export function assertHead(head: HeadSpec, model: { readonly name: string; readonly outputSize: number }): void {
  const refuse = (what: string): never => {
    throw new ModelError(`Model '${model.name}': ${what}`);
  };
  if (typeof head !== 'object' || head === null || Array.isArray(head))
    refuse(`head is ${JSON.stringify(head)}, must be an object with a kind.`);
  if (!HEAD_KINDS.includes(head.kind))
    refuse(`head.kind is '${String(head.kind)}', must be one of ${HEAD_KINDS.join(', ')}.`);
  if (head.scope !== undefined && !HEAD_SCOPES.includes(head.scope))
    refuse(`head.scope is '${String(head.scope)}', must be one of ${HEAD_SCOPES.join(', ')}.`);
  if (head.kind === 'classes' && model.outputSize < 2)
    refuse(`outputSize is ${model.outputSize}, a head of classes needs one output a class, 2 at least.`);
  if (head.kind !== 'multi-quantile') {
    if ('levels' in head) refuse(`head.levels is for multi-quantile, head.kind is '${head.kind}'. Leave it out.`);
    return;
  }
  const { levels } = head;
  const rising =
    Array.isArray(levels) &&
    levels.length >= 1 &&
    levels.length <= LEVELS_MAX &&
    levels.every((level, i) => typeof level === 'number' && level > (i === 0 ? 0 : levels[i - 1]) && level < 1);
  if (!rising)
    refuse(`head.levels is ${JSON.stringify(levels)}, must be 1 to ${LEVELS_MAX} rising numbers between 0 and 1.`);
  if (model.outputSize % levels.length !== 0)
    refuse(`outputSize is ${model.outputSize}, must be a multiple of the ${levels.length} head.levels.`);
}

/** The head's numbers for the digest; null for the default. */
export function headNumbers(head: HeadSpec): readonly unknown[] | null {
  const { kind, scope = 'per-step' } = head;
  if (kind === 'linear' && scope === 'per-step') return null;
  return kind === 'multi-quantile' ? [kind, scope, head.levels] : [kind, scope];
}
