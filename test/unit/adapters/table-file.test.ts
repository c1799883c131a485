import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readRecordFile, TABLE_FORMATS, type Table, tableBytes, writeTable } from '@tideline/adapters';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';

const folder = await mkdtemp(join(tmpdir(), 'tideline-tables-'));
after(() => rm(folder, { recursive: true }));

/** More rows than one row group has, and every kind of value that is easily lost. */
const ROWS = 2_500;
const TABLE: Table = [
  { name: 'id', kind: 'text', values: Array.from({ length: ROWS }, (_, i) => `s${i % 7}`) },
  { name: 'a "b", c', kind: 'text', values: Array.from({ length: ROWS }, (_, i) => (i % 3 ? `é,"${i}"\n` : null)) },
  { name: 'time', kind: 'time', values: Float64Array.from({ length: ROWS }, (_, i) => -86_400_000 + 1_234_567 * i) },
  {
    name: 'value',
    kind: 'number',
    values: Float64Array.from({ length: ROWS }, (_, i) => (i % 5 === 0 ? Number.NaN : Math.sin(i) * 10 ** (i % 30))),
  },
  { name: 'none', kind: 'number', values: new Float64Array(ROWS).fill(Number.NaN) },
];

/** What a reader gets: empty cells are left out. */
const EXPECTED = Array.from({ length: ROWS }, (_, row) =>
  Object.fromEntries(
    TABLE.flatMap((column) => {
      const value = column.values[row];
      if (value === null || Number.isNaN(value)) return [];
      return [[column.name, column.kind === 'time' ? new Date(Number(value)).toISOString() : value]];
    }),
  ),
);

test('a table that was written is read back equal, to the last bit of every number, whatever the format', async () => {
  for (const format of TABLE_FORMATS.filter((one) => one !== 'csv' && one !== 'json')) {
    const path = join(folder, `table.${format}`);
    await writeTable(path, TABLE);
    const found: Record<string, unknown>[] = [];
    for await (const { value } of readRecordFile({ path, topic: 't', keyField: 'id', map: {} })) {
      const row = JSON.parse(value) as Record<string, unknown>;
      found.push(Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== null)));
    }
    assert.deepEqual(found, EXPECTED, format);
  }
  await writeTable(join(folder, 'table.json'), TABLE);
  const list = JSON.parse(await readFile(join(folder, 'table.json'), 'utf8')) as Record<string, unknown>[];
  assert.deepEqual(
    list.map((row) => Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== null))),
    EXPECTED,
  );
});

test('every column of a Parquet file has its type', async () => {
  const path = join(folder, 'typed.parquet');
  await writeTable(path, TABLE);
  const { schema, num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  assert.deepEqual(
    schema.slice(1).map(({ name, type, converted_type }) => [name, type, converted_type]),
    [
      ['id', 'BYTE_ARRAY', 'UTF8'],
      ['a "b", c', 'BYTE_ARRAY', 'UTF8'],
      ['time', 'INT64', 'TIMESTAMP_MILLIS'],
      ['value', 'DOUBLE', undefined],
      ['none', 'DOUBLE', undefined],
    ],
  );
  assert.equal(Number(num_rows), ROWS);
});

test('CSV quotes what needs it and leaves unknown cells empty', async () => {
  const [head, first, second] = String(await tableBytes(TABLE, 'csv')).split(/\n(?=s|$)/);
  assert.equal(head, 'id,"a ""b"", c",time,value,none');
  assert.equal(first, 's0,,1969-12-31T00:00:00.000Z,,');
  assert.equal(second, `s1,"é,""1""\n",1969-12-31T00:20:34.567Z,${10 * Math.sin(1)},`);
});

test('a file of no known format and columns of unequal length are refused', async () => {
  await assert.rejects(writeTable(join(folder, 'x.xlsx'), TABLE), /must end in \.csv, \.parquet, \.json, \.jsonl/);
  const uneven: Table = [...TABLE.slice(0, 1), { name: 'short', kind: 'number', values: [1] }];
  await assert.rejects(tableBytes(uneven, 'csv'), /Column 'short' has 1 values, must have 2500/);
});

test('a table without rows is a file that is read as no records', async () => {
  const path = join(folder, 'empty.parquet');
  await writeTable(
    path,
    TABLE.map((column): Table[number] => ({ ...column, values: [] as never[] })),
  );
  const found: string[] = [];
  for await (const { value } of readRecordFile({ path, topic: 't', keyField: 'id', map: {} })) found.push(value);
  assert.deepEqual(found, []);
});
