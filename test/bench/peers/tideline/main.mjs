// Tideline as one of the peers' programs: one Redis, one ingest, one forecaster. Put this folder into the kit by a link, `ln -s REPOSITORY/test/bench/peers/tideline KIT/`,
// and build the repository first (`npm run build`). The kit gives BROKER, TOPIC, GROUP, INFLUX_URL, INFLUX_DB, MODEL_DIR and STATE_DIR.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRedisShardStore } from '@tideline/adapters';
import { startRedis } from '@tideline/native';
import { importModel, saveModel } from '@tideline/nn';
import { NODE_FLAGS } from '@tideline/runtime';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const { BROKER, TOPIC, GROUP, INFLUX_URL, INFLUX_DB, MODEL_DIR, STATE_DIR } = process.env;
const LOOK_MS = 5;

const models = join(STATE_DIR, 'models');
const modelFile = join(models, 'peers-lstm', 'model.tdl');
if (!existsSync(modelFile)) {
  await mkdir(join(models, 'peers-lstm'), { recursive: true });
  const { model } = await importModel(join(MODEL_DIR, 'weights.json'), { name: 'peers-lstm' });
  await saveModel(modelFile, model, {});
}
const redis = await startRedis({ folder: join(STATE_DIR, 'redis') });
const env = {
  PATH: process.env.PATH,
  TIDELINE_KAFKA_BROKERS: BROKER,
  TIDELINE_KAFKA_GROUP: GROUP,
  // Alone: its partitions are its own, and nobody waits for a dead member's session after a kill.
  TIDELINE_INGEST_SHARE: '1/1',
  TIDELINE_CHECKPOINT_TOPIC: `${GROUP}-checkpoints`,
  TIDELINE_DEAD_LETTER_TOPIC: `${GROUP}-dead-letters`,
  TIDELINE_REDIS_URL: redis.address,
  TIDELINE_INFLUX_URL: INFLUX_URL,
  TIDELINE_INFLUX_DATABASE: INFLUX_DB,
  TIDELINE_STREAMS: `${TOPIC}=${join(HERE, 'stream.yaml')}`,
  TIDELINE_MODELS: models,
  // Settings to compare: `--set TIDELINE_HOLD_MS=0`.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('TIDELINE_'))),
};
const services = ['forecaster', 'ingest'].map((name) =>
  spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'services', name, 'dist', 'main.js')], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  }),
);
process.once('SIGTERM', async () => {
  const ended = services.map((service) => once(service, 'exit'));
  for (const service of services) service.kill('SIGTERM');
  await Promise.all(ended);
  await redis.stop();
  process.exit(0);
});
const store = await createRedisShardStore({ url: redis.address, logBytesMax: 1 });
const before = await heads();
while ((await heads()) <= before) await sleep(LOOK_MS);
process.stdout.write(`FIRST ${Date.now()}\n`);

async function heads() {
  return (await store.status()).reduce((sum, { head }) => sum + Math.max(0, head), 0);
}
