import { createMemoryLiveFeed } from '@tideline/adapters';
import { liveFeedContract } from './live-feed.ts';

liveFeedContract({ name: 'memory live feed', shared: false, open: async () => createMemoryLiveFeed() });
