import { createHash } from 'node:crypto';
import type { Declaration } from './declaration.ts';

/** SHA-256, hex, of what a model learns by: fields, bars, features and outputs. Other changes of a stream's file leave its model as it is. */
export function declarationDigest({ fields, bars, features, output, embedding }: Declaration): string {
  const learnt = [fields.map(({ name }) => name), bars, features, learntOf(output)];
  return createHash('sha256')
    .update(JSON.stringify(embedding === null ? learnt : [...learnt, embedding]))
    .digest('hex');
}

/** Without what is made of the network's outputs later. */
function learntOf(output: Declaration['output']): unknown {
  if (output.kind === 'raw') return output;
  const { per, also: _, verification: __, ...learnt } = output;
  return per === 'steps' ? learnt : { ...learnt, per };
}
