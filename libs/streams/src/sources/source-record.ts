/** A record by the Kafka contracts, before it has a position. */
export interface SourceRecord {
  readonly topic: string;
  readonly key: string;
  /** JSON. */
  readonly value: string;
  /** Event time, epoch ms. */
  readonly timestampMs: number;
}
