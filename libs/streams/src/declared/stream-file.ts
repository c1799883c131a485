import { readFileSync } from 'node:fs';
import { ConfigError } from '@tideline/pipeline';
import { parseDocument } from 'yaml';
import { type CallVolumeSettings, readCallVolumeSettings } from '../call-volume/settings.ts';
import type { Declaration } from './declaration.ts';
import { readDeclaration } from './read-declaration.ts';

/** Whether the name of a stream is the path of a file that declares one. */
export function isStreamFile(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}

/** The stream that a file declares. Throws ConfigError with the path, what is wrong and the cure. */
export function readStreamFile(path: string): Declaration {
  return readDeclaration(path, readText(path));
}

/** What a file of `kind: call-volume` says; null where it declares another stream. Throws ConfigError like `readStreamFile`. */
export function readCallVolumeFile(path: string): CallVolumeSettings | null {
  const document = parseDocument(readText(path), { uniqueKeys: true });
  if (document.errors.length > 0) return null;
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const isCallVolume = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'call-volume';
  return isCallVolume ? readCallVolumeSettings(path, value) : null;
}

function readText(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new ConfigError([`The stream '${path}': ${problem}. Check the path.`]);
  }
  return text;
}
