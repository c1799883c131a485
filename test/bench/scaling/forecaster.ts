/** A forecaster on the real Redis, BullMQ and InfluxDB, whose engine costs time and no processor. `forecaster.js ROW_MS`, the rest from the environment. */
import {
  createBullTicketQueue,
  createInfluxSink,
  createRedisAppendFeed,
  createRedisShardStore,
} from '@tideline/adapters';
import { createEngine } from '@tideline/nn';
import { Forecaster } from '@tideline/pipeline';
import { sleep } from '@tideline/runtime';
import { createStream } from '@tideline/streams';
import { DATABASE, STREAM, TOPIC } from '../pipeline/job.ts';
import { standardModel } from '../pipeline/workload.ts';
import { createSlowEngine } from './slow-engine.ts';

const CONCURRENCY = 16;
const SERIES_MAX = 10_000;

const { TIDELINE_REDIS_URL: url = '', TIDELINE_INFLUX_URL: influx = '' } = process.env;
const prefix = 'tideline';
const owner = `scaling-${process.pid}`;
const model = standardModel();
const { engine } = await createEngine(model, { kind: 'simd', slotsMax: 2 * SERIES_MAX });
const store = await createRedisShardStore({ url, prefix, logBytesMax: Number.MAX_SAFE_INTEGER });
const queue = await createBullTicketQueue({ url, name: `${prefix}-tickets` });
const stream = createStream(STREAM, { modelName: model.spec.name, model });
const forecaster = new Forecaster({
  ...{ store, queue, owner, sleep, live: null, foreignModel: 'leave', onEvent: () => undefined },
  sink: await createInfluxSink({ url: influx, database: DATABASE }),
  topics: new Map([[TOPIC, { stream, engine: createSlowEngine(engine, Number(process.argv[2])) }]]),
  ...{ batchEntriesMax: 4, sliceRecordsMax: 50_000, seriesMax: SERIES_MAX, backlogsMax: 2 },
  hold: { idleMs: 1_000, slots: CONCURRENCY },
});
await createRedisAppendFeed({ url, prefix, owner, listener: (shard, head) => forecaster.appended(shard, head) });
await queue.work((ticket, signal) => forecaster.handle(ticket, signal), { concurrency: CONCURRENCY });
process.send?.('ready');
