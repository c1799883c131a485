/** What is wrong with a stream's file is told with place, value and cure, everything at once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChunkBuilder, ConfigError, PoisonRecordError } from '@tideline/pipeline';
import { createStream, readDeclaration, TOPIC_STREAMS } from '@tideline/streams';
import { rawRecord, streamOf, TS } from './declared-run.ts';

const GOOD = {
  name: 'quotes',
  key: 'symbol',
  time: 'ts',
  fields: { price: { above: 0 }, size: {} },
  features: [{ op: 'log_return', of: 'price' }] as unknown[],
  output: { kind: 'raw', fields: ['y'] } as unknown,
};

function problemsOf(change: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    readDeclaration('s.yaml', JSON.stringify({ ...GOOD, ...change }));
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

const WRONG: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ name: undefined }, /^s\.yaml: name is missing: it must be a text/],
  [{ name: '9 lives' }, /name is "9 lives", must begin with a letter/],
  [{ feature: [] }, /feature is nothing that a stream has: use name, key, time/],
  [{ time: { field: 'ts', unit: 'days' } }, /time.* must be .*ms/],
  [{ fields: {} }, /fields must be a map of the record's numbers/],
  [{ fields: { price: { above: '0' } } }, /fields\.price\.above is "0", must be a number/],
  [{ fields: { price: { above: 0, min: 1 } } }, /fields\.price has 'min', which nothing reads/],
  [{ features: [] }, /features must be a list/],
  [{ features: [{ op: 'return', of: 'price' }] }, /features\[0\]\.op is "return", must be one of field, log,/],
  [{ features: [{ op: 'log_return', of: 'prize' }] }, /features\[0\]\.of is "prize", .*use one of price, size/],
  [
    { features: [{ op: 'log_return', of: 'size' }] },
    /features\[0\]\.of is "size", .*declare fields\.size with 'above: 0'/,
  ],
  [{ features: [{ op: 'spread', of: 'price' }] }, /features\[0\]\.of is "price", must be a list of two names/],
  [{ features: [{ op: 'mean', of: 'size' }] }, /features\[0\]\.window is missing: it must be a number/],
  [{ features: [{ op: 'mean', of: 'size', window: 9999 }] }, /window is 9999, must be at most 4096/],
  [
    { features: [{ op: 'log1p', of: 'size', clip: [2, 1] }] },
    /clip is \[2,1\], must be \[low, high\] with low below high/,
  ],
  [{ features: [{ op: 'log1p', of: 'size', scle: 1 }] }, /features\[0\] has 'scle', which nothing reads/],
  [{ features: [{ op: 'field', of: 'size', name: 'size' }] }, /features\[0\]\.name is "size", a name that is taken/],
  [{ features: [{ op: 'field', of: 'size', input: false }] }, /features has 0 inputs/],
  [{ features: ['log1p'] }, /features\[0\] is "log1p", must be a map of settings/],
  [{ features: [{ op: 'field', of: 'size', input: 0 }] }, /input is 0, must be true or false/],
  [{ output: { kind: 'mean' } }, /output.* must have a kind: 'raw' or 'quantiles'/],
  [{ output: { kind: 'quantiles', of: 'price', levels: [0.9, 0.1] } }, /output\.levels is \[0\.9,0\.1\], must rise/],
  [{ output: { kind: 'quantiles', of: 'size' } }, /output\.of is "size", .*'above: 0'/],
  [{ output: { kind: 'quantiles', of: 'price', unit: 'sigma' } }, /output\.unit is "sigma"/],
  [{ point: { time: 'now' } }, /point\.time is "now", must be one of unique, event/],
  [
    { point: { tags: { series: 'price' } } },
    /point\.tags\.series is "price", must be one of key, stream, model, horizon/,
  ],
  [{ point: { with: ['bid'] } }, /point\.with is "bid"/],
  [
    { point: { with: ['y'] }, fields: { price: { above: 0 }, size: {}, y: {} } },
    /point\.with is "y", a field that every point has/,
  ],
  [
    {
      output: { kind: 'quantiles', of: 'price' },
      fields: { price: { above: 0 }, last: {} },
      point: { with: ['last'] },
    },
    /point\.with is "last", a field that every point has/,
  ],
  [{ point: { with: ['price', 'price'] } }, /point\.with is \["price","price"\], must name each once/],
  [
    { output: { kind: 'quantiles', of: 'price', horizons: [1, 1] } },
    /output\.horizons is \[1,1\], must name each once/,
  ],
  [{ output: { kind: 'raw', fields: ['y', 'y'] } }, /output\.fields is \["y","y"\], must name each once/],
  [{ late: 'skip' }, /late is "skip", must be one of apply, drop, dead-letter/],
];

test('the declaration that the others are changes of has no problem', () => {
  assert.deepEqual(problemsOf({}), []);
});

for (const [change, message] of WRONG)
  test(`a declaration with ${JSON.stringify(change)} is refused with place, value and cure`, () => {
    const problems = problemsOf(change);
    assert(
      problems.some((problem) => message.test(problem)),
      problems.join('\n'),
    );
  });

test('all problems of a file are told at once', () => {
  const problems = problemsOf({
    key: 7,
    fields: { price: { above: 'x' }, size: {} },
    features: [{ op: 'what' }, { op: 'log1p', of: 'bid' }],
    late: 'never',
  });
  assert.equal(problems.length, 5, problems.join('\n'));
});

test('a file that is no YAML is refused with the line', () => {
  assert.throws(() => readDeclaration('s.yaml', 'name: [a'), /s\.yaml: is no YAML: .*line 1/);
  assert.throws(() => readDeclaration('s.yaml', '- 1'), /s\.yaml: is \[1\], must be a map/);
  assert.throws(() => readDeclaration('s.yaml', 'name: a\nname: b'), /is no YAML: .*unique/);
});

test("a stream's file may be named wherever a stream is, and its topic has the declared name", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-stream-'));
  try {
    const path = join(folder, 's.json');
    await writeFile(path, JSON.stringify(GOOD));
    assert.deepEqual(TOPIC_STREAMS.parse(`${path},t=${path},ticks`), [
      { topic: 'quotes', stream: path },
      { topic: 't', stream: path },
      { topic: 'ticks', stream: 'ticks' },
    ]);
    const stream = createStream(path, { modelName: 'm', late: 'drop' });
    assert.deepEqual([stream.name, stream.late, stream.inputSize, stream.outputSize], ['quotes', 'drop', 1, 1]);
    await writeFile(path, '{"name": 7}');
    assert.match(TOPIC_STREAMS.safeParse(path).error?.issues[0].message ?? '', /s\.json: name is 7, must be a text/);
    assert.throws(() => createStream(join(folder, 'none.yaml'), { modelName: 'm' }), /there is no such file/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const RECORDS: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ px: 0 }, /'px' is 0, must be a finite number above 0\./],
  [{ px: -3 }, /'px' is -3, must be a finite number above 0\./],
  [{ px: undefined }, /'px' is undefined, must be a finite number above 0\./],
  [{ px: '1' }, /'px' is "1", must be a finite number/],
  [{ size: 11 }, /'size' is 11, must be a finite number at least 1, at most 10\./],
  [{ at: TS }, /'at' is 1700000000000, .*outside 1971 to 2286 in us/],
  [{ at: undefined }, /no time: set 'at'/],
  [{ id: undefined }, /'id' is undefined/],
];

for (const [change, reason] of RECORDS)
  test(`a record with ${JSON.stringify(change)} is refused with field, value and cure`, () => {
    const stream = streamOf(`
      name: t
      key: id
      time: {field: at, unit: us}
      fields: {price: {from: px, above: 0}, size: {at_least: 1, at_most: 10, required: false}}
      features: [{op: log_return, of: price}]
      output: {kind: raw, fields: [y]}`);
    const record = rawRecord({ id: 'a', at: TS * 1000, px: 2, ...change });
    const builder = new ChunkBuilder(stream.schema, 1);
    assert.throws(
      () => stream.decode(record, builder),
      (error: unknown) => error instanceof PoisonRecordError && reason.test(error.message),
    );
    assert.equal(builder.rows, 0);
    stream.decode(rawRecord({ id: 'a', at: TS * 1000, px: 2 }), builder);
    assert.equal(builder.finish(1).timeMs[0], TS);
  });
