/** What the documentation shows is what the program takes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStream, readDeclaration } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';

const FOLDER = join(ROOT, 'docs', 'streams');

test('every stream file and every example of docs/streams.md declares a stream', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
  assert(files.length >= 3, files.join());
  for (const name of files) {
    const stream = createStream(join(FOLDER, name), { modelName: 'm' });
    assert.equal(`${stream.name}.yaml`, name);
    assert(stream.inputSize >= 5 && stream.outputSize % 3 === 0);
  }
  const page = readFileSync(join(ROOT, 'docs', 'streams.md'), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)];
  assert(blocks.length > 0);
  const [[, whole]] = blocks;
  // An example of the output alone stands in the place of the first example's.
  for (const [, text] of blocks)
    readDeclaration('docs/streams.md', text.startsWith('output:') ? whole.replace(/^output:.*\n/m, text) : text);
});

test('docs/streams.md names every operator, and no other', () => {
  const page = readFileSync(join(ROOT, 'docs', 'streams.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`(\w+)`/g)].map((match) => match[1]));
  let known = '';
  try {
    readDeclaration(
      'x',
      '{name: a, key: k, time: t, fields: {x: {}}, features: [{op: none}], output: {kind: raw, fields: [y]}}',
    );
  } catch (error) {
    known = /must be one of ([\w, ]+)/.exec(String(error))?.[1] ?? '';
  }
  assert.deepEqual([...named].sort(), known.split(', ').sort());
});
