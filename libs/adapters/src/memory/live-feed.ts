import type { LiveFeed } from '@tideline/pipeline';

/** Hands lines to the listeners of this process at once. A listener that throws is told to `onError` and disturbs no other. */
export function createMemoryLiveFeed(options: { readonly onError?: (error: unknown) => void } = {}): LiveFeed {
  const listeners = new Set<{ readonly listen: (lines: readonly string[]) => void }>();
  return {
    publish(lines) {
      if (lines.length === 0 || listeners.size === 0) return;
      const texts = lines.texts();
      for (const { listen } of listeners) {
        try {
          listen(texts);
        } catch (error) {
          options.onError?.(error);
        }
      }
    },
    async subscribe(listen) {
      const entry = { listen };
      listeners.add(entry);
      return async () => {
        listeners.delete(entry);
      };
    },
    async [Symbol.asyncDispose]() {
      listeners.clear();
    },
  };
}
