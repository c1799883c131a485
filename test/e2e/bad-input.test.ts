import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '@tideline/native';
import { createModel, initWeights, saveModel } from '@tideline/nn';
import { stackAddresses } from '../stack/index.ts';
import { tideline } from './command.ts';

test('a service reports every problem of its configuration at once and exits with 78', async () => {
  const env = {
    TIDELINE_REDIS_URL: 'http://x',
    TIDELINE_KAFKA_BROKERS: 'nowhere',
    TIDELINE_CHUNK_ROWS_MAX: 'many',
    TIDELINE_LOG_LEVEL: 'loud',
  };
  const { code, stderr } = await tideline(['ingest'], { env });
  assert.equal(code, 78);
  for (const name of Object.keys(env)) assert.match(stderr, new RegExp(name));
  assert.match(stderr, /4 problem\(s\)/);
});

test('an address where no Kafka answers is named with the cure, exit 69', async () => {
  const { redis } = stackAddresses();
  const address = `127.0.0.1:${await freePort()}`;
  const { code, stderr } = await tideline(['ingest'], {
    env: { TIDELINE_KAFKA_BROKERS: address, TIDELINE_REDIS_URL: redis },
  });
  assert.equal(code, 69, stderr);
  assert.match(stderr, new RegExp(`Kafka.*${address}`));
});

test('an address where no Redis answers is named without its password, exit 69', async () => {
  const port = await freePort();
  const { code, stderr } = await tideline(['forecaster'], {
    env: { TIDELINE_REDIS_URL: `redis://:geheim@127.0.0.1:${port}` },
  });
  assert.equal(code, 69, stderr);
  assert.match(stderr, new RegExp(`Redis at .*127\\.0\\.0\\.1:${port}`));
  assert.doesNotMatch(stderr, /geheim/);
});

test("a missing model, and one whose widths are not the stream's, are named with the cure, exit 78", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-models-'));
  try {
    const missing = await tideline(['demo', '--once', '--models', folder], { cwd: folder });
    assert.equal(missing.code, 78);
    assert.match(missing.stderr, /no model at .*ticks-lstm.*model\.tdl.*tideline train/s);
    const spec = { name: 'ticks-lstm', cell: 'lstm', inputSize: 3, hiddenSize: 4, layers: 1, outputSize: 6 } as const;
    const file = join(folder, 'ticks-lstm', 'model.tdl');
    await saveModel(
      file,
      createModel(
        spec,
        initWeights(spec, () => 0.4),
      ),
    );
    const narrow = await tideline(['demo', '--once', '--models', folder], { cwd: folder });
    assert.equal(narrow.code, 78);
    assert.match(narrow.stderr, /'ticks-lstm' has inputSize 3, stream 'ticks' needs 8/);
    await writeFile(file, 'no weights');
    const damaged = await tideline(['demo', '--once', '--models', folder], { cwd: folder });
    assert.equal(damaged.code, 78);
    assert.match(damaged.stderr, /not a Tideline weights file/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a taken port is named with the cure', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const folder = await mkdtemp(join(tmpdir(), 'tideline-port-'));
  try {
    const { port } = server.address() as { readonly port: number };
    const { code, stderr } = await tideline(['demo', '--port', String(port)], { cwd: folder });
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`${port}.*taken|${port}.*in use`, 's'));
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test('an unknown stream, an unknown file type and an unknown command are refused with what is possible', async () => {
  const stream = await tideline(['forecaster'], { env: { TIDELINE_STREAMS: 'weather' } });
  assert.equal(stream.code, 78);
  assert.match(stream.stderr, /no stream 'weather': use one of ticks, call-volume, calls/);
  const file = await tideline(['demo', '--once', '--file', 'prices.xlsx']);
  assert.notEqual(file.code, 0);
  assert.match(file.stderr, /must end in \.csv, \.jsonl/);
  const command = await tideline(['forcast']);
  assert.notEqual(command.code, 0);
  assert.match(command.stderr, /unknown command/);
});
