import { ModelError } from '../model-error.ts';

/**
 * A model of another program that cannot be taken over. The message names the first file, node, layer or tensor at fault, the value that was
 * found there and the cure; nothing was written.
 */
export class ImportError extends ModelError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ImportError';
  }
}
