import { writeFile } from 'node:fs/promises';
import { parquetBytes } from './parquet-table.ts';

/**
 * A column of one type. Of `numbers` and `times`, NaN is an empty cell. Times are epoch ms and are written as ISO 8601 texts, in Parquet as
 * TIMESTAMP_MILLIS.
 */
export type TableColumn =
  | { readonly name: string; readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly kind: 'number' | 'time'; readonly values: ArrayLike<number> };

/** Columns of one length, in their order. */
export type Table = readonly TableColumn[];

export const TABLE_FORMATS = ['csv', 'parquet', 'json', 'jsonl'] as const;
/** `json` is one list of objects, `jsonl` one object a line. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** What the end of a file's name asks for; null: none of the formats. */
export function tableFormatOf(path: string): TableFormat | null {
  return TABLE_FORMATS.find((format) => path.endsWith(`.${format}`)) ?? null;
}

/** Writes `table` in the format of the file's name. Throws RangeError where the name ends in none or the columns differ in length. */
export async function writeTable(path: string, table: Table): Promise<void> {
  const format = tableFormatOf(path);
  if (format === null) throw new RangeError(`'${path}' must end in .${TABLE_FORMATS.join(', .')}.`);
  await writeFile(path, await tableBytes(table, format));
}

/** The bytes of `table` in a format. Throws RangeError where the columns differ in length. */
export async function tableBytes(table: Table, format: TableFormat): Promise<Uint8Array | string> {
  const rows = rowsOf(table);
  if (format === 'parquet') return parquetBytes(table);
  if (format === 'csv')
    return [table.map(({ name }) => csvCell(name)), ...lines(table, rows, csvCell)]
      .map((cells) => `${cells.join(',')}\n`)
      .join('');
  const objects = lines(table, rows, JSON.stringify).map(
    (cells) => `{${cells.map((cell, i) => `${JSON.stringify(table[i].name)}:${cell}`).join(',')}}`,
  );
  return format === 'json' ? `[${objects.join(',\n')}]\n` : objects.map((object) => `${object}\n`).join('');
}

function rowsOf(table: Table): number {
  const rows = table[0]?.values.length ?? 0;
  for (const { name, values } of table)
    if (values.length !== rows)
      throw new RangeError(`Column '${name}' has ${values.length} values, must have ${rows}.`);
  return rows;
}

function lines(table: Table, rows: number, cell: (value: string | number | null) => string): string[][] {
  return Array.from({ length: rows }, (_, row) => table.map((column) => cell(cellOf(column, row))));
}

function cellOf(column: TableColumn, row: number): string | number | null {
  if (column.kind === 'text') return column.values[row];
  const value = column.values[row];
  if (Number.isNaN(value)) return null;
  return column.kind === 'time' ? new Date(value).toISOString() : value;
}

/** RFC 4180. */
function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
