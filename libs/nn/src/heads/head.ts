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
 * `classes`: probabilities of outputSize classes, softmax(z) (`softmax.ts`). With `groups`, several questions side by side: each group is a softmax of
 * its own over as many outputs as it has classes, in the order of the list.
 * Streaming engines give z at every step; `headOf` makes the rest of it.
 */
export type HeadSpec =
  | { readonly kind: 'linear'; readonly scope?: HeadScope }
  | { readonly kind: 'multi-quantile'; readonly levels: readonly number[]; readonly scope?: HeadScope }
  | { readonly kind: 'classes'; readonly groups?: readonly ClassGroup[]; readonly scope?: HeadScope };

/** One question of a head of classes: its name and the names of its answers. */
export interface ClassGroup {
  readonly name: string;
  readonly classes: readonly string[];
}

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
  if (head.kind === 'classes' && head.groups !== undefined) assertGroups(head.groups, model.outputSize, refuse);
  else if ('groups' in head) refuse(`head.groups is for classes, head.kind is '${head.kind}'. Leave it out.`);
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

function assertGroups(groups: readonly ClassGroup[], outputSize: number, refuse: (what: string) => never): void {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const isGroup = (group: ClassGroup): boolean =>
    isText(group?.name) &&
    Array.isArray(group.classes) &&
    group.classes.length >= 2 &&
    group.classes.every(isText) &&
    new Set(group.classes).size === group.classes.length;
  if (!Array.isArray(groups) || groups.length === 0 || !groups.every(isGroup))
    refuse('head.groups must be a list of groups, each with a name and two classes or more of different names.');
  if (new Set(groups.map(({ name }) => name)).size !== groups.length) refuse('two of head.groups have one name.');
  const outputs = groups.reduce((sum, { classes }) => sum + classes.length, 0);
  if (outputs !== outputSize)
    refuse(`outputSize is ${outputSize}, the classes of head.groups are ${outputs}: one output a class.`);
}

/** The head's numbers for the digest; null for the default. */
export function headNumbers(head: HeadSpec): readonly unknown[] | null {
  const { kind, scope = 'per-step' } = head;
  if (kind === 'linear' && scope === 'per-step') return null;
  if (kind === 'multi-quantile') return [kind, scope, head.levels];
  return kind === 'classes' && head.groups
    ? [kind, scope, head.groups.map(({ name, classes }) => [name, ...classes])]
    : [kind, scope];
}
