import type { LatePolicy } from './event-times.ts';
import type { Shard } from './record.ts';

/** What happens in the core, for logs and metrics; one callback so that the log line and the counter cannot drift apart. */
export type PipelineEvent =
  | { readonly type: 'appended'; readonly shard: Shard; readonly records: number; readonly bytes: number }
  | {
      readonly type: 'dead-lettered';
      readonly shard: Shard;
      readonly offset: number;
      readonly field: string;
      readonly reason: string;
    }
  | { readonly type: 'sought'; readonly shard: Shard; readonly from: number; readonly to: number | null }
  | { readonly type: 'back-pressure'; readonly shard: Shard; readonly on: boolean }
  | {
      readonly type: 'claimed';
      readonly shard: Shard;
      readonly epoch: number;
      readonly position: number;
      readonly kept: boolean;
    }
  /** `model-foreign`: the shard's states are those of model `from`, which this forecaster does not have; it was left alone. */
  | {
      readonly type: 'model-changed' | 'model-foreign';
      readonly shard: Shard;
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly type: 'committed';
      readonly shard: Shard;
      readonly position: number;
      readonly records: number;
      readonly forecasts: number;
      readonly series: number;
      readonly lines: number;
      /** Late records among them that went to the dead letters. */
      readonly refused: number;
    }
  /** Late and repeated records of a batch that is committed. */
  | {
      readonly type: 'late';
      readonly shard: Shard;
      readonly policy: LatePolicy;
      readonly late: number;
      readonly repeated: number;
    }
  /** Series of a batch that is committed: those that were silent for too long and began anew, and those whose states were removed for it. */
  | { readonly type: 'idle'; readonly shard: Shard; readonly restarted: number; readonly swept: number }
  | {
      readonly type: 'quarantined';
      readonly cause: QuarantineCause;
      readonly shard: Shard;
      readonly series: string;
      readonly offset: number;
      readonly reason: string;
    }
  | { readonly type: 'fenced'; readonly shard: Shard; readonly reason: string }
  | { readonly type: 'retrying'; readonly shard: Shard; readonly attempt: number; readonly reason: string };

/** The model gave a value that is not finite, or the same answer for too long. */
export type QuarantineCause = 'not-finite' | 'saturated';

export type OnEvent = (event: PipelineEvent) => void;
