/** Numbers written in place: what stands in a line gives the value back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointLines, timeDigits } from '@tideline/pipeline';
import fc from 'fast-check';

function written(write: (lines: PointLines) => void): string {
  const lines = new PointLines();
  write(lines);
  lines.end();
  return lines.texts()[0];
}

test('a float32 is written so that reading it gives the same float32', () => {
  const of = (x: number): string => written((lines) => lines.float32(x));
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = of(x);
      assert.match(text, /^-?\d+(\.\d+)?(e[+-]\d+)?$/);
      assert(Object.is(Math.fround(Number(text)), x) || (x === 0 && Number(text) === 0), `${x} is written as ${text}`);
    }),
    { numRuns: 3_000 },
  );
  assert.deepEqual(
    [0, -0, 1, -2.5, 0.03125, 999_999_936, 0.1].map((x) => of(Math.fround(x))),
    [...['0', '0', '1', '-2.5', '0.03125', '999999936', '0.100000001']],
  );
  // The largest float32 below 1: nine places carry into the whole.
  assert.equal(Math.fround(Number(of(1 - 2 ** -24))), 1 - 2 ** -24);
  for (let power = -5; power < 30; power += 1)
    for (const x of [2 ** power, 2 ** power * (1 + 2 ** -23), 2 ** power * (1 - 2 ** -24)])
      assert.equal(Math.fround(Number(of(x))), x);
});

test('a time is written in the digits of its nanoseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: -9e12, max: 9e12 }), fc.integer({ min: 0, max: 999_999 }), (ms, ns) => {
      const text = written((lines) => lines.time(ms, ns));
      assert.equal(text, timeDigits(ms, ns));
      assert.equal(BigInt(text), BigInt(ms) * 1_000_000n + BigInt(ns));
    }),
  );
});

test('a line in pieces is the line that is pushed whole, whatever its characters and length', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 6 }), (parts) => {
      const clean = parts.map((part) => part.replace(/\n/g, ' '));
      const pieces = new PointLines();
      for (let i = 0; i < 3; i += 1) {
        for (const part of clean) pieces.text(part);
        pieces.end();
        pieces.push(clean.join(''));
      }
      assert.deepEqual(pieces.texts(), Array<string>(6).fill(pieces.texts()[1]));
      assert.deepEqual(Buffer.from(pieces.bytes(0, 1)), Buffer.from(`${clean.join('')}\n`));
    }),
  );
});
