/** `kafkajs-consumer.js BROKER TOPIC RECORDS`: tells its parent the processor microseconds from its first batch to its last. */
import { Kafka, logLevel } from 'kafkajs';

const [broker, topic, records] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: 'floor', maxBytesPerPartition: 1_048_576, maxBytes: 16 * 1_048_576 });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
let seen = 0;
let from: NodeJS.CpuUsage | null = null;
process.once('disconnect', () => process.exit(0));
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 16,
  eachBatch: async ({ batch }) => {
    from ??= process.cpuUsage();
    seen += batch.messages.length;
    if (seen < Number(records)) return;
    const { user, system } = process.cpuUsage(from);
    process.send?.(user + system);
    process.disconnect();
  },
});
