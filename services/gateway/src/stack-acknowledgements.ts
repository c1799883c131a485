import { createRedisFirstValues, type InfluxSink } from '@tideline/adapters';
import { type LiveFeed, PointLines } from '@tideline/pipeline';
import { type Acknowledgement, acknowledgementLine } from '@tideline/streams';
import type { KeepAcknowledgement } from './acknowledge.ts';

/** As long as anybody looks at an alert; InfluxDB has them for good. */
const KEEP_S = 90 * 24 * 60 * 60;

export interface StackAcknowledgements extends AsyncDisposable {
  readonly keep: KeepAcknowledgement;
}

/**
 * Acknowledgements of the real stack: the first one in Redis stands, then it is a point in InfluxDB, then the pages are told. Killed in between, the person
 * has no answer and asks again, which goes on from there.
 */
export async function openAcknowledgements(parts: {
  readonly url: string;
  readonly prefix: string;
  readonly feed: LiveFeed;
  /** Opened at the first acknowledgement: an alert was there, so its database is. */
  readonly openSink: () => Promise<InfluxSink>;
  readonly onWarning: (message: string) => void;
}): Promise<StackAcknowledgements> {
  const { url, prefix, feed, openSink, onWarning } = parts;
  const values = await createRedisFirstValues({ url, prefix: `${prefix}:acknowledgement`, keepS: KEEP_S, onWarning });
  let sink: Promise<InfluxSink> | null = null;
  const opened = (): Promise<InfluxSink> => {
    sink ??= openSink().catch((error: unknown) => {
      sink = null;
      throw error;
    });
    return sink;
  };
  return {
    async keep(alert, own) {
      const standing = JSON.parse(await values.keep(alert.id, JSON.stringify(own))) as Acknowledgement;
      const lines = PointLines.of([acknowledgementLine(alert, standing)]);
      await (await opened()).write(lines);
      feed.publish(lines);
      return standing;
    },
    async [Symbol.asyncDispose]() {
      await values[Symbol.asyncDispose]();
      await (await sink?.catch(() => null))?.[Symbol.asyncDispose]();
    },
  };
}
