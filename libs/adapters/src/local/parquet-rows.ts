import * as zlib from 'node:zlib';

/** What is used of the package `hyparquet`. It is loaded only where a Parquet file is read: nobody else waits for it, and a checkout without it builds. */
interface ParquetLibrary {
  asyncBufferFromFile(path: string): Promise<unknown>;
  parquetMetadataAsync(file: unknown, options: object): Promise<{ readonly num_rows: bigint }>;
  parquetReadObjects(options: object): Promise<Record<string, unknown>[]>;
}

const LIBRARY: string = 'hyparquet';
/** Rows that stand in memory at once. */
const ROWS_AT_ONCE = 50_000;

type Decompress = (bytes: Uint8Array) => Uint8Array;

/** Newer versions of Node have it. Snappy is in the library. */
const { zstdDecompressSync: zstd } = zlib as { readonly zstdDecompressSync?: Decompress };
const DECOMPRESS: Readonly<Record<string, Decompress>> = {
  GZIP: (bytes) => zlib.gunzipSync(bytes),
  BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
  ...(zstd === undefined ? {} : { ZSTD: zstd }),
};

/** Times keep all their digits, as ISO 8601 texts; a Date has milliseconds. */
const PARSERS = {
  timestampFromMilliseconds: (ms: bigint) => isoText(ms, 3),
  timestampFromMicroseconds: (us: bigint) => isoText(us, 6),
  timestampFromNanoseconds: (ns: bigint) => isoText(ns, 9),
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
};

/** The rows of a Parquet file as flat objects. Throws Error with the path and the cure where it cannot be read. */
export async function* readParquetRows(path: string): AsyncGenerator<Record<string, unknown>> {
  const library = await loadLibrary(path);
  try {
    const file = await library.asyncBufferFromFile(path);
    const metadata = await library.parquetMetadataAsync(file, { parsers: PARSERS });
    const rows = Number(metadata.num_rows);
    for (let rowStart = 0; rowStart < rows; rowStart += ROWS_AT_ONCE) {
      const rowEnd = Math.min(rows, rowStart + ROWS_AT_ONCE);
      const options = { file, metadata, rowStart, rowEnd, compressors: DECOMPRESS, parsers: PARSERS };
      for (const row of await library.parquetReadObjects(options)) yield plain(row);
    }
  } catch (cause) {
    throw new Error(
      `'${path}' cannot be read as Parquet: ${(cause as Error).message}. Write it anew, with snappy compression for example.`,
      { cause },
    );
  }
}

async function loadLibrary(path: string): Promise<ParquetLibrary> {
  try {
    return (await import(LIBRARY)) as ParquetLibrary;
  } catch (cause) {
    throw new Error(`'${path}' is Parquet, which the package '${LIBRARY}' reads: install it ('npm install').`, {
      cause,
    });
  }
}

/** Whole numbers of 64 bits become numbers where a double holds them, else their digits; empty cells are left out. */
function plain(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === null || value === undefined) continue;
    if (typeof value !== 'bigint') values[name] = value;
    else values[name] = Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  return values;
}

/** An epoch time whose last digit is 10^-digits s. */
function isoText(value: bigint, digits: 3 | 6 | 9): string {
  const one = 10n ** BigInt(digits);
  const fraction = ((value % one) + one) % one;
  const seconds = Number((value - fraction) / one);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(digits, '0')}Z`;
}
