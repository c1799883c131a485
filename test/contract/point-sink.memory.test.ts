import { createMemoryPointSink } from '@tideline/adapters';
import { pointSinkContract } from './point-sink.ts';

pointSinkContract({
  name: 'memory sink',
  open() {
    const sink = createMemoryPointSink();
    return Promise.resolve({
      sink,
      read: (measurement) => Promise.resolve([...sink.lines()].filter((line) => line.startsWith(`${measurement},`))),
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    });
  },
});
