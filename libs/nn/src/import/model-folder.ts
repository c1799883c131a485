import { open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { ImportError } from './import-error.ts';

/** Bytes a file of weights at most. */
export const WEIGHTS_BYTES_MAX = 2 ** 30;
/** Bytes of JSON at most: a description, not weights. */
export const JSON_BYTES_MAX = 2 ** 25;
/** Depth of JSON at most, so that no walk over it can overflow the stack. */
const JSON_DEPTH_MAX = 64;

/** A file that was read, for the card. */
export interface SourceFile {
  /** Relative to the model's folder. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** Reads files of one model and no others: the folder of the named file bounds what the file may refer to. */
export class ModelFolder {
  /** Every file that was read, in order. */
  readonly files: SourceFile[] = [];
  readonly #folder: string;
  readonly #named: string;

  /** `path`: the file that the caller named, which may be a link to anywhere. */
  constructor(path: string) {
    this.#folder = dirname(path);
    this.#named = basename(path);
  }

  /**
   * The bytes of a file that the model names, relative to its folder. Throws ImportError where it is missing, too large, no plain file, or
   * outside of the folder, links followed. `namedBy` says who asked for it.
   */
  async read(path: string, options: { readonly namedBy: string; readonly bytesMax: number }): Promise<Buffer> {
    const { namedBy, bytesMax } = options;
    const seen = this.files.find((file) => file.path === path);
    if (seen) return seen.bytes;
    const bytes = await this.#readInside(path, namedBy, bytesMax);
    this.files.push({ path, bytes });
    return bytes;
  }

  async #readInside(path: string, namedBy: string, bytesMax: number): Promise<Buffer> {
    const outside = `${namedBy} names the file '${path}' outside of the model's folder. Put it beside the model and name it without a path.`;
    if (path.includes('\0') || isAbsolute(path) || climbs(path)) throw new ImportError(outside);
    const full = join(this.#folder, path);
    try {
      const isInside = path === this.#named || !climbs(relative(await realpath(this.#folder), await realpath(full)));
      if (!isInside) throw new ImportError(outside);
      return await readPlain(full, bytesMax);
    } catch (cause) {
      if (cause instanceof ImportError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      throw new ImportError(
        `${namedBy} needs the file '${full}', which cannot be read (${code}). Put it there, and check who may read it.`,
        { cause },
      );
    }
  }
}

function climbs(path: string): boolean {
  return path.split(/[\\/]/).includes('..') || isAbsolute(path);
}

async function readPlain(path: string, bytesMax: number): Promise<Buffer> {
  // A pipe would be waited for where it is opened.
  if (!(await stat(path)).isFile()) throw new ImportError(`'${path}' is no plain file. Name the model's file.`);
  const file = await open(path, 'r');
  try {
    const status = await file.stat();
    if (status.size > bytesMax)
      throw new ImportError(
        `'${path}' has ${status.size} bytes, at most ${bytesMax} are read. Check that it is the right file.`,
      );
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** JSON text as an object. Throws ImportError where it is none, or deeper than any model's description. */
export function parseJsonObject(bytes: Uint8Array, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImportError(`${where} is not JSON: it is damaged or another format. Export it again.`, { cause });
  }
  if (!isObject(value)) throw new ImportError(`${where} is JSON but no object. Export it again.`);
  if (!isShallow(value, JSON_DEPTH_MAX))
    throw new ImportError(`${where} is nested deeper than ${JSON_DEPTH_MAX} levels. Export it again.`);
  return value;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
