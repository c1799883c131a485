import { createFeedSource, type FeedRecord } from '@tideline/adapters';
import { sourceContract } from './source.ts';

sourceContract({
  name: 'feed source',
  open(records) {
    const feed: FeedRecord[] = records.map(({ key, value }) => ({ topic: 'feed', key, value, timestampMs: 0 }));
    return Promise.resolve({
      createSource(onError) {
        const source = createFeedSource({ open: () => feed, replayable: true, partitions: 4, batchRecordsMax: 500 });
        source.finished.catch((error: Error) => onError(error));
        return source;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
});
