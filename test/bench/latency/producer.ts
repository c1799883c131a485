/**
 * `producer.js BROKERS TOPIC RATE START_MS COUNT`: sends the ticks when they are due, whether Kafka has answered for those before or not. A program of its own,
 * so that its work holds up nobody's clock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { tickAt } from './ticks.ts';

const [brokers, topic, rate, startMs, count] = process.argv.slice(2);
const plan = { rate: Number(rate), startMs: Number(startMs) };
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false });
await producer.connect();
// The first send looks up the partitions; it is not to fall into the time that is measured.
await producer.send({ topic, acks: 1, messages: [] }).catch(() => undefined);
const sends: Promise<unknown>[] = [];
let sent = 0;
while (sent < Number(count)) {
  const elapsedMs = performance.timeOrigin + performance.now() - plan.startMs;
  const due = Math.min(Number(count), Math.floor((elapsedMs * plan.rate) / 1e3) + 1);
  if (due > sent) {
    const messages = Array.from({ length: due - sent }, (_, k) => {
      const { timestampMs, ...tick } = tickAt(plan, sent + k);
      return { ...tick, timestamp: String(timestampMs) };
    });
    sent = due;
    sends.push(producer.send({ topic, acks: 1, messages }));
  }
  await sleep(1);
}
await Promise.all(sends);
await producer.disconnect();
