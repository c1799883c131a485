import { createRedisLiveFeed } from '@tideline/adapters';
import { liveFeedContract } from './live-feed.ts';

// The test stack names the server; without one this file fails rather than skips.
const url = process.env.TIDELINE_TEST_REDIS ?? '';

liveFeedContract({
  name: 'redis live feed',
  shared: true,
  open: (channel) => createRedisLiveFeed({ url, channel }),
});
