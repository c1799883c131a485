import { readFileSync } from 'node:fs';
import { ConfigError } from '@tideline/pipeline';
import type { Declaration } from './declaration.ts';
import { readDeclaration } from './read-declaration.ts';

/** Whether the name of a stream is the path of a file that declares one. */
export function isStreamFile(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}

/** The stream that a file declares. Throws ConfigError with the path, what is wrong and the cure. */
export function readStreamFile(path: string): Declaration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new ConfigError([`The stream '${path}': ${problem}. Check the path.`]);
  }
  return readDeclaration(path, text);
}
