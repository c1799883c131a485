import { createMemoryLiveFeed } from '@tideline/adapters';
import { createGateway, type GatewayStats } from '@tideline/gateway';
import { type LiveFeed, PointLines } from '@tideline/pipeline';
import { acknowledgementLine } from '@tideline/streams';

export const STATS: GatewayStats = {
  records: 1_234,
  forecasts: 2_468,
  series: 7,
  lagRecords: 3,
  recordsPerSecond: 212.4,
  deadLetters: 0,
  engine: 'reference',
  mode: 'embedded',
};

export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
  readonly feed: LiveFeed;
}

/** A gateway over a feed in memory, on a free port. */
export async function startGateway(
  options: Partial<Parameters<typeof createGateway>[0]> = {},
): Promise<RunningGateway> {
  const feed = createMemoryLiveFeed();
  const gateway = await createGateway({
    ...{ feed, stats: () => STATS, host: '127.0.0.1', port: 0 },
    keepAcknowledgement: async (alert, acknowledgement) => {
      feed.publish(PointLines.of([acknowledgementLine(alert, acknowledgement)]));
      return acknowledgement;
    },
    ...options,
  });
  return { url: gateway.url, feed, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}
