import { ModelError } from '../model-error.ts';

/**
 * A model of another program that cannot be taken over. The message names the first file, node, layer or tensor at fault, the value that was
 * found there and the cure; nothing was written.
 */
export class ImportError extends ModelError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(printable(message), options);
    this.name = 'ImportError';
  }
}

const WORD = /(\S{160})\S+/g;
const MESSAGE_MAX = 2_000;

/** Names in a file may be long or hold control characters, which a terminal would obey. */
function printable(message: string): string {
  return message
    .replace(/\p{Cc}/gu, '?')
    .replace(WORD, '$1...')
    .slice(0, MESSAGE_MAX);
}
