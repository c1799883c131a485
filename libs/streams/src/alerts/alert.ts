/** Measurement `alert`: what a person should look at. A point's identity, and the alert's id, are a pure function of rule and record. */
import { createHash } from 'node:crypto';
import { lineFields, lineTags, splitLine } from '@tideline/pipeline';

/** An alert as the Kafka topic, the webhook and the API give it. */
export interface Alert {
  /** The same whenever the same record meets the same rule: what is told twice is one. */
  readonly id: string;
  /** The rule's name; `quarantine` where the pipeline itself speaks. */
  readonly rule: string;
  readonly severity: string;
  readonly stream: string;
  readonly series: string;
  /** Of calls; '' elsewhere. */
  readonly queue: string;
  readonly agent: string;
  /** Event time, epoch ns as digits. */
  readonly timeNs: string;
  readonly reason: string;
  /** What the rule measured; null where it measures nothing. */
  readonly value: number | null;
  readonly partition: number;
  readonly offset: number;
}

export const ALERT_PREFIX = 'alert,';

/** The alert of a line of measurement `alert`; null for any other line and for one that is broken. Never throws. */
export function parseAlert(line: string): Alert | null {
  if (!line.startsWith(ALERT_PREFIX)) return null;
  try {
    const { head, fields, time } = splitLine(line);
    const tags = lineTags(head);
    const values = lineFields(fields);
    const [stream, series] = [tags.get('stream'), tags.get('series')];
    const [partition, offset] = [numberOf(values.get('partition')), numberOf(values.get('offset'))];
    if (stream === undefined || series === undefined || partition === null || offset === null) return null;
    const rule = tags.get('rule') || tags.get('kind') || '';
    const [queue = '', agent = ''] = [tags.get('queue'), tags.get('agent')];
    return {
      id: `${stream}-${rule}-${digestOf(series, time)}`,
      ...{ rule, stream, series, queue, agent, partition, offset, timeNs: time },
      severity: tags.get('severity') || 'critical',
      reason: textOf(values.get('reason')),
      value: numberOf(values.get('value')),
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Series and time of the record, which two topics of one stream share only where InfluxDB holds them for one point, too. */
function digestOf(series: string, time: string): string {
  return createHash('sha256').update(`${time} ${series}`).digest('hex').slice(0, 24);
}

function numberOf(field: string | undefined): number | null {
  const value = field === undefined ? Number.NaN : Number(field.replace(/[iu]$/, ''));
  return Number.isFinite(value) ? value : null;
}

function textOf(field: string | undefined): string {
  return field?.startsWith('"') ? field.slice(1, -1).replace(/\\(["\\])/g, '$1') : '';
}
