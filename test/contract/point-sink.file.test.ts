import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLineFileSink, type StoredPoint, sortedPoints } from '@tideline/adapters';
import { digestOfLines, PointDigest, PointLines, pointIdentity, splitLine } from '@tideline/pipeline';
import { mulberry32 } from '@tideline/streams';
import { pointSinkContract } from './point-sink.ts';

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-points-'));
  return { path: join(folder, 'points.lp'), remove: () => rm(folder, { recursive: true, force: true }) };
}

async function linesOf(points: AsyncIterable<readonly StoredPoint[]>): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of points)
    for (const { identity, fields } of batch) {
      const at = identity.lastIndexOf(' ');
      lines.push(`${identity.slice(0, at)} ${fields}${identity.slice(at)}`);
    }
  return lines;
}

pointSinkContract({
  name: 'line-protocol file',
  async open() {
    const { path, remove } = await openFolder();
    const sink = await createLineFileSink({ path });
    return {
      sink,
      async read(measurement) {
        return (await linesOf(sink.points())).filter((line) => line.startsWith(`${measurement},`));
      },
      async [Symbol.asyncDispose]() {
        await sink[Symbol.asyncDispose]();
        await remove();
      },
    };
  },
});

test('line-protocol file: a line that a crash tore is cut off at the next opening, whole lines stay', async () => {
  const { path, remove } = await openFolder();
  {
    await using sink = await createLineFileSink({ path });
    await sink.write(PointLines.of(['m,series=a v=1 1', 'm,series=a v=2 2']));
  }
  await appendFile(path, 'm,series=a v=3');
  await using sink = await createLineFileSink({ path });
  await sink.write(PointLines.of(['m,series=a v=4 4']));
  assert.deepEqual(await linesOf(sink.points()), ['m,series=a v=1 1', 'm,series=a v=2 2', 'm,series=a v=4 4']);
  await remove();
});

test('line-protocol file: in many sorted parts it has the points and the digest that it has at once', async () => {
  const { path, remove } = await openFolder();
  const random = mulberry32(7);
  // Many writes of few points: within a part and over all parts; the text is not of ASCII alone.
  const written = Array.from({ length: 5_000 }, (_, i) => {
    const series = `b\u00e4r\\ ${Math.floor(random() * 40)}${i % 7 === 0 ? '\u{1f30a}' : '\t'}`;
    return `forecast,series=${series} q50=${i},note="a b, c" ${Math.floor(random() * 30)}`;
  });
  await writeFile(path, `${written.join('\n')}\n`);
  const last = new Map(written.map((line) => [pointIdentity(line), line]));
  const expected = [...last.keys()].sort().map((identity) => last.get(identity));
  assert.ok(expected.length > 1_000 && expected.length < written.length / 2);
  for (const partCharactersMax of [1, 10_000, 100_000, 1e9]) {
    const folder = `${path}.sort`;
    const digest = new PointDigest();
    const lines = await linesOf(sortedPoints({ path, folder, partCharactersMax }));
    for (const line of lines) digest.add(pointIdentity(line), splitLine(line).fields);
    assert.deepEqual(lines, expected);
    assert.equal(digest.hex(), digestOfLines(written));
    assert.deepEqual(await readdir(join(path, '..')), ['points.lp'], 'no part is left behind');
  }
  await remove();
});
