import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type PointSink, RetryableError } from '@tideline/pipeline';
import { type StoredPoint, sortedPoints } from './sorted-points.ts';

/** A PointSink of its own file, which can be read back whole. */
export interface LineFileSink extends PointSink {
  /** The points written so far by identity, each once with its last write (a replay writes a point again); some at a time, whatever the size of the file. */
  points(): AsyncIterable<readonly StoredPoint[]>;
}

/** What a disk without room answers: full, over the quota, over the limit on the size of a file. */
const NO_ROOM_CODES = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * Appends points to a line-protocol file; resolves when the operating system has them on disk (fdatasync).
 * A line that a crash tore is cut off at opening: its batch was never acknowledged and is written again. What a full disk tore is cut off before the
 * write is refused, with RetryableError: the caller's repeat must not stand behind half a line.
 */
export async function createLineFileSink(options: { readonly path: string }): Promise<LineFileSink> {
  await mkdir(dirname(options.path), { recursive: true });
  const file = await open(options.path, 'a+');
  let size = await cutTornLine(file);
  let tail: Promise<void> = Promise.resolve();
  const append = async (bytes: Uint8Array): Promise<void> => {
    try {
      await file.appendFile(bytes);
      await file.datasync();
      size += bytes.length;
    } catch (cause) {
      await file.truncate(size);
      throw writeError(options.path, cause);
    }
  };
  return {
    write(lines) {
      if (lines.length === 0) return Promise.resolve();
      const done = tail.then(() => append(lines.bytes()));
      tail = done.catch(() => undefined);
      return done;
    },
    async *points() {
      await tail;
      yield* sortedPoints({ path: options.path, folder: `${options.path}.sort` });
    },
    async [Symbol.asyncDispose]() {
      await tail;
      await file.close();
    },
  };
}

function writeError(path: string, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (!NO_ROOM_CODES.includes(code ?? '')) return cause;
  return new RetryableError(`There is no room for '${path}' (${message}). Free some: the work goes on by itself.`, {
    cause,
  });
}

/** Resolves with the size that is left. */
async function cutTornLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const window = Math.min(size, 1 << 20);
  const { buffer } = await file.read(Buffer.alloc(window), 0, window, size - window);
  const lastFeed = buffer.lastIndexOf(0x0a);
  const whole = lastFeed === -1 ? size - window : size - window + lastFeed + 1;
  if (whole < size) await file.truncate(whole);
  return whole;
}
