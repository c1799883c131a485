/**
 * Holds resources in build order and disposes of them in reverse, every one even where another fails; failures come together in an
 * AggregateError. What `AsyncDisposableStack` does on Node >= 24.
 */
export class ResourceStack implements AsyncDisposable {
  readonly #resources: AsyncDisposable[] = [];

  /** Holds `resource` and gives it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Runs `dispose` in its turn. */
  defer(dispose: () => Promise<void>): void {
    this.#resources.push({ [Symbol.asyncDispose]: dispose });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let resource = this.#resources.pop(); resource; resource = this.#resources.pop()) {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'Several resources could not be closed.');
  }
}
