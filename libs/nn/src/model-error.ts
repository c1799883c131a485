/** A model that cannot be used. The message names the file or field, what was found and the cure; nothing was loaded. */
export class ModelError extends Error {
  readonly code = 'MODEL_INVALID';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ModelError';
  }
}
