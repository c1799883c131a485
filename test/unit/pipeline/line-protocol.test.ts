import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOfLines, escapeTag, pointIdentity, splitLine, stringField, timeDigits } from '@tideline/pipeline';

test('the digest does not depend on order or repeats, and sees every field', () => {
  const a = 'forecast,series=A q50=1 100';
  const b = 'forecast,series=B q50=2 100';
  assert.equal(digestOfLines([a, b]), digestOfLines([b, a, b]));
  assert.notEqual(digestOfLines([a, b]), digestOfLines([a, 'forecast,series=B q50=3 100']));
  assert.equal(digestOfLines(['m f=1 1', 'm f=2 1']), digestOfLines(['m f=2 1']), 'the last write counts');
});

test('a point is identified by measurement, tags and time, spaces in tags included', () => {
  assert.equal(
    pointIdentity(`m,series=${escapeTag('a b=c,d')} text=${stringField('x y "z"')} 5`),
    'm,series=a\\ b\\=c\\,d 5',
  );
});

test('a tag value can not break out of its line', () => {
  assert.equal(escapeTag('a\nforecast,x=1 y=2 3\\'), 'a\\ forecast\\,x\\=1\\ y\\=2\\ 3');
});

test('time digits are exact before and after 1970', () => {
  assert.equal(timeDigits(1_700_000_000_123, 45), '1700000000123000045');
  assert.equal(timeDigits(0, 5), '5');
  assert.equal(timeDigits(-1, 999_999), '-1');
});

test('a text that is no whole line is refused', () => {
  for (const text of ['', 'm', 'm v=1', 'm,a=b\\ c']) assert.throws(() => splitLine(text), RangeError);
});
