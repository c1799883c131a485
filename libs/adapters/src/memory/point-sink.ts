import { type Lines, type PointSink, pointIdentity } from '@tideline/pipeline';

/** A PointSink that can be looked into. */
export interface MemoryPointSink extends PointSink {
  /** The last write of every point, in the order of first writes. */
  lines(): IterableIterator<string>;
  readonly size: number;
}

/** Keeps the last write of each identity, as InfluxDB does. Unbounded: for tests and runs that end. */
export function createMemoryPointSink(options: { readonly onWrite?: (lines: Lines) => void } = {}): MemoryPointSink {
  const points = new Map<string, string>();
  return {
    async write(lines) {
      for (const line of lines) points.set(pointIdentity(line), line);
      options.onWrite?.(lines);
    },
    lines: () => points.values(),
    get size() {
      return points.size;
    },
    async [Symbol.asyncDispose]() {},
  };
}
