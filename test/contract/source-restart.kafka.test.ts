import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKafkaSource, createTopicProducer, ensureTopics, produceRecords } from '@tideline/adapters';
import { ensureInstalled, startKafka } from '@tideline/native';
import { createLedger } from './source-ledger.ts';

const TOPIC = 'ticks';

test('kafka source: a broker that is killed and started again costs no record and doubles none', async (t) => {
  await ensureInstalled({ servers: ['kafka'] });
  const folder = await mkdtemp(join(tmpdir(), 'tideline-kafka-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kafka = await startKafka({ folder });
  const brokers = [kafka.address];
  await ensureTopics({ brokers, topics: [{ topic: TOPIC, partitions: 2 }] });
  const batch = (from: number) => Array.from({ length: 500 }, (_, n) => ({ key: `s${n % 9}`, value: `${from + n}` }));
  await using producer = await createTopicProducer({ brokers, topic: TOPIC });
  await produceRecords({ producer, records: batch(0) });
  const ledger = createLedger();
  await using source = createKafkaSource({ brokers, topics: [TOPIC], groupId: 'g', onError: ledger.onError });
  await source.run(ledger.handler);
  await ledger.holds(500);
  // Producing meanwhile: it waits for the broker and goes on.
  const meanwhile = (async () => {
    for (let part = 1; part < 6; part += 1) await produceRecords({ producer, records: batch(part * 500) });
  })();
  await kafka.kill();
  await using again = await startKafka({ folder, port: kafka.port });
  await meanwhile;
  await ledger.holds(3_000);
  // The consumer leaves while there is a broker to leave.
  await source.drain();
  void again;
});
