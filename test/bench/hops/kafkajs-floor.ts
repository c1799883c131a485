/** What kafkajs alone costs: the least that ingest's consuming can take as long as it is kafkajs that consumes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@tideline/native';
import { TOPIC } from '../pipeline/job.ts';
import { produce } from '../pipeline/run.ts';
import type { Variant } from '../pipeline/workload.ts';

const CONSUMER = new URL('./kafkajs-consumer.js', import.meta.url);

/** Processor microseconds a record of a process that consumes the job's topic by kafkajs and does nothing with it, from its first batch on. */
export async function kafkajsFloor(variant: Variant, records: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-floor-'));
  try {
    await using stack = await startStack({ folder, servers: ['kafka'] });
    const { kafka = '' } = stack.addresses;
    await produce(kafka, variant, records);
    const consumer = fork(CONSUMER, [kafka, TOPIC, String(records)]);
    const answer = once(consumer, 'message');
    const ended = once(consumer, 'exit').then(([code]) => {
      throw new Error(`The consumer ended with ${code} before it had ${records} records.`);
    });
    const [microseconds] = (await Promise.race([answer, ended])) as [number];
    ended.catch(() => undefined);
    return microseconds / records;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
