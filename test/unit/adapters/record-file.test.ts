import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FeedRecord, type RecordFileOptions, readRecordFile } from '@tideline/adapters';

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'golden');

async function read(options: Partial<RecordFileOptions> & { readonly path: string }): Promise<FeedRecord[]> {
  const found: FeedRecord[] = [];
  for await (const record of readRecordFile({ topic: 't', keyField: 'symbol', map: {}, ...options }))
    found.push(record);
  return found;
}

// Written by pyarrow: times in microseconds, whole numbers of 64 bits, an empty cell, a date, texts.
test('Parquet files of every compression that Node knows give the same records, with every digit', async () => {
  const kinds = ['snappy', 'gzip', 'brotli', ...('zstdDecompressSync' in (await import('node:zlib')) ? ['zstd'] : [])];
  for (const kind of kinds) {
    const path = join(GOLDEN, `records-${kind}.parquet`);
    const records = await read({
      path,
      map: { symbol: 'id', ts: 'time' },
      timeMsOf: ({ ts }) => Date.parse(String(ts)),
    });
    assert.deepEqual(
      records.map(({ key, value }) => [key, JSON.parse(value)]),
      [
        ['7', { ts: '2023-11-14T22:13:20.000001Z', symbol: '7', price: 1.5, size: 10, day: '2023-11-14', venue: 'A' }],
        ['7', { ts: '2023-11-14T22:13:21.500000Z', symbol: '7', size: 20, day: '2023-11-14', venue: 'B' }],
        [
          '8',
          {
            ...{ ts: '2023-11-14T22:13:22.000250Z', symbol: '8', price: 2.25 },
            ...{ size: '9007199254740993', day: '2023-11-14', venue: 'A' },
          },
        ],
      ],
      kind,
    );
    assert.equal(records[1].timestampMs, 1_700_000_001_500);
  }
});

test('a broken Parquet file, and a name that says nothing, are refused with the cure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-parquet-'));
  try {
    const broken = join(folder, 'broken.parquet');
    await writeFile(broken, 'no parquet at all');
    await assert.rejects(read({ path: broken }), /broken\.parquet' cannot be read as Parquet: .* Write it anew/);
    await assert.rejects(read({ path: join(folder, 'none.parquet') }), /There is no readable file/);
    await assert.rejects(read({ path: join(folder, 'x.xlsx') }), /must end in .*\.parquet/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a file of one series without a column for it is read under the key that is given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-key-'));
  try {
    const path = join(folder, 'one.csv');
    await writeFile(path, 'date,close\n2020-01-02,10\n');
    const [record] = await read({ path, key: 'SPY' });
    assert.deepEqual([record.key, JSON.parse(record.value)], ['SPY', { date: '2020-01-02', close: 10, symbol: 'SPY' }]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
