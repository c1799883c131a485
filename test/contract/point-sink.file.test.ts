import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLineFileSink } from '@tideline/adapters';
import { PointLines, pointIdentity } from '@tideline/pipeline';
import { pointSinkContract } from './point-sink.ts';

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-points-'));
  return { path: join(folder, 'points.lp'), remove: () => rm(folder, { recursive: true, force: true }) };
}

pointSinkContract({
  name: 'line-protocol file',
  async open() {
    const { path, remove } = await openFolder();
    const sink = await createLineFileSink({ path });
    return {
      sink,
      async read(measurement) {
        const points = new Map<string, string>();
        for (const line of await sink.lines()) points.set(pointIdentity(line), line);
        return [...points.values()].filter((line) => line.startsWith(`${measurement},`));
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
  assert.deepEqual(await sink.lines(), ['m,series=a v=1 1', 'm,series=a v=2 2', 'm,series=a v=4 4']);
  await remove();
});
