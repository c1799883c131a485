import type { Table, TableColumn } from './table-file.ts';

/** What is used of the package `hyparquet-writer`. It is loaded only where a Parquet file is written, as `parquet-rows.ts` does with its reader. */
interface WriterLibrary {
  parquetWriteBuffer(options: {
    readonly columnData: readonly ColumnSource[];
    readonly createdBy: string;
  }): ArrayBuffer;
}

interface ColumnSource {
  readonly name: string;
  readonly type: 'STRING' | 'DOUBLE' | 'TIMESTAMP';
  readonly data: readonly (string | number | Date | null)[];
}

const LIBRARY: string = 'hyparquet-writer';

/**
 * A table as a Parquet file, Snappy, every column typed: UTF-8 text, DOUBLE, TIMESTAMP_MILLIS (UTC); empty cells are nulls. Throws Error with the cure where
 * the library is not installed.
 */
export async function parquetBytes(table: Table): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await loadLibrary();
  return new Uint8Array(parquetWriteBuffer({ columnData: table.map(sourceOf), createdBy: 'tideline' }));
}

function sourceOf(column: TableColumn): ColumnSource {
  const { name } = column;
  if (column.kind === 'text') return { name, type: 'STRING', data: column.values };
  const values = Array.from(column.values);
  if (column.kind === 'number')
    return { name, type: 'DOUBLE', data: values.map((value) => (Number.isNaN(value) ? null : value)) };
  return { name, type: 'TIMESTAMP', data: values.map((ms) => (Number.isNaN(ms) ? null : new Date(ms))) };
}

async function loadLibrary(): Promise<WriterLibrary> {
  try {
    return (await import(LIBRARY)) as WriterLibrary;
  } catch (cause) {
    throw new Error(`Parquet files are written by the package '${LIBRARY}': install it ('npm install').`, { cause });
  }
}
