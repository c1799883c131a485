import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLmdbDeadLetterSink, createMemoryDeadLetterSink } from '@tideline/adapters';
import { deadLetterContract } from './dead-letter.ts';

deadLetterContract({
  name: 'memory dead letters',
  open() {
    const sink = createMemoryDeadLetterSink();
    return Promise.resolve({
      sink,
      read: () => Promise.resolve([...sink.letters()]),
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    });
  },
});

deadLetterContract({
  name: 'LMDB dead letters',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-letters-'));
    const sink = createLmdbDeadLetterSink({ folder });
    return {
      sink,
      read: () => Promise.resolve([...sink.list()]),
      async [Symbol.asyncDispose]() {
        await sink[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
