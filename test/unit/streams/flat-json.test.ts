/** The fast reader of records takes nothing that JSON.parse would read otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlatJsonReader } from '@tideline/streams';
import fc from 'fast-check';

const FIELDS = ['price', 'size', 'ts'];

/** Where the reader takes the bytes, what it says must be what JSON.parse says. Returns whether it took them. */
function check(reader: FlatJsonReader, bytes: Uint8Array, recordKey: Uint8Array | null = null): boolean {
  if (!reader.read(bytes, recordKey)) return false;
  const object = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  assert.equal(reader.key, object.symbol);
  FIELDS.forEach((field, i) => {
    assert.ok(Object.is(reader.numbers[i], Object.hasOwn(object, field) ? object[field] : Number.NaN), field);
  });
  return true;
}

test('the usual record is taken, whatever the order of its fields and the spaces between them', () => {
  const reader = new FlatJsonReader('symbol', FIELDS);
  const parts = fc.shuffledSubarray(
    ['"symbol":"S1"', '"ts":1767225600000', '"price" : 101.25', '"size":\n3', '"venue":"X Y"', '"ok":true', '"n":-7.5'],
    { minLength: 7 },
  );
  fc.assert(
    fc.property(parts, (fields) => {
      assert.ok(check(reader, Buffer.from(` {${fields.join(' ,\t')}} `), Buffer.from('S1')));
    }),
  );
});

test('every number that it takes has the bits that JSON.parse gives', () => {
  const reader = new FlatJsonReader('symbol', FIELDS);
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,17})(\.\d{1,24})?$/);
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(digits, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)), (number) => {
      taken += check(reader, Buffer.from(`{"symbol":"S","price":${number}}`)) ? 1 : 0;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(taken > 500, `only ${taken} were taken`);
});

test('it takes no bytes that JSON.parse reads otherwise or refuses', () => {
  const reader = new FlatJsonReader('symbol', FIELDS);
  const pieces = fc.array(
    fc.constantFrom(
      ...[
        '{',
        '}',
        '"symbol"',
        '"price"',
        '"size"',
        '"ts"',
        ':',
        ',',
        '"S1"',
        '""',
        '1',
        '0',
        '01',
        '-',
        '1.',
        '.5',
        '1e3',
      ],
      ...[
        '-0',
        '[1]',
        '{}',
        'null',
        'true',
        'nul',
        ' ',
        '\n',
        '\u0000',
        '"\\u0041"',
        '"é"',
        '"a\\"b"',
        '99999999999999999999',
      ],
    ),
    { maxLength: 14 },
  );
  const record = '{"symbol":"S1","price":101.25,"size":3,"ts":1767225600000,"side":"B"}';
  const mutated = fc
    .tuple(fc.nat(record.length - 1), fc.integer({ min: 0, max: 2 }), fc.nat(255))
    .map(([at, cut, byte]) =>
      Buffer.concat([Buffer.from(record.slice(0, at)), Buffer.of(byte), Buffer.from(record.slice(at + cut))]),
    );
  const hostile = fc.oneof(
    pieces.map((all) => Buffer.from(all.join(''))),
    mutated,
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(hostile, (bytes) => void check(reader, bytes)),
    { numRuns: 5_000 },
  );
});

test('what comes twice, is nested, escaped or of another kind is left to JSON.parse', () => {
  const reader = new FlatJsonReader('symbol', FIELDS);
  const refused = [
    '{"symbol":"S","price":1,"price":2}',
    '{"symbol":"S","symbol":"T","price":1}',
    '{"symbol":"S","price":"1"}',
    '{"symbol":"S","price":null}',
    '{"symbol":"S","price":1e3}',
    '{"symbol":"S","x":{"price":1}}',
    '{"symbol":"\\u0053","price":1}',
    '{"symbol":"Ü","price":1}',
    '{"symbol":"","price":1}',
    '{"price":1}',
    '{"symbol":"S","price":1}x',
    '[{"symbol":"S"}]',
    '',
  ];
  for (const text of refused) assert.equal(reader.read(Buffer.from(text), null), false, text);
  assert.equal(reader.read(null, null), false);
  assert.equal(reader.read(Buffer.from('{"symbol":"S"}'), Buffer.from('T')), false, 'another key than the record has');
  // A parsed object has these names, too.
  assert.equal(new FlatJsonReader('symbol', ['toString']).read(Buffer.from('{"symbol":"S"}'), null), false);
});

test('keys that share a place in the table stay apart', () => {
  const reader = new FlatJsonReader('symbol', []);
  for (let round = 0; round < 2; round += 1)
    for (let i = 0; i < 200_000; i += 7) {
      assert.ok(reader.read(Buffer.from(`{"symbol":"S${i}"}`), Buffer.from(`S${i}`)));
      assert.equal(reader.key, `S${i}`);
    }
});
