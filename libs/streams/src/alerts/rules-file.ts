import { readFileSync } from 'node:fs';
import { ConfigError } from '@tideline/pipeline';
import { type CallRules, parseCallRules } from '../calls/rules.ts';

/** Rules in the YAML (or JSON) of a file. Throws ConfigError with the path, what is wrong and the cure. */
export function readCallRules(path: string): CallRules {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError([
      `The rules '${path}': ${code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`}. Check the path.`,
    ]);
  }
  return parseCallRules(text, path);
}
