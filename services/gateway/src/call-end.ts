import { lineFields, lineTags, splitLine } from '@tideline/pipeline';

export const CALL_END_PREFIX = 'call_summary,';

/** What was found of a call when it was over. */
export interface CallEnd {
  /** Event time of the end, epoch ms. */
  readonly timeMs: number;
  /** How it ended: negative, neutral, positive. */
  readonly sentiment: string;
  /** -1..1. */
  readonly score: number;
  /** Expected rating of the whole call, 1 to 5, and the probability of 1 or 2. */
  readonly satisfaction: number;
  readonly dissatisfied: number;
  /** `ended`, `silent` or `restarted`. */
  readonly endedBy: string;
  readonly durationMs: number;
  readonly turns: number;
  /** The turns that weighed most, numbered from 1, with the score that each is worth. */
  readonly decisive: readonly { readonly turn: number; readonly effect: number }[];
  /** What was said, redacted: `2 customer: ...`. */
  readonly lines: readonly string[];
  readonly categories: readonly string[];
}

export interface CallEndPoint {
  readonly stream: string;
  readonly series: string;
  readonly timeNs: bigint;
  readonly end: CallEnd;
}

const DECISIVE_MAX = 3;
const LINES_MAX = 4;
const NS_A_MS = 1_000_000n;

/** What a line of measurement `call_summary` says; null for one that is broken. Never throws. */
export function parseCallEnd(line: string): CallEndPoint | null {
  const parts = partsOf(line);
  if (parts === null) return null;
  const tags = lineTags(parts.head);
  const fields = lineFields(parts.fields);
  const number = (name: string): number => Number((fields.get(name) ?? '').replace(/^$/, 'NaN').replace(/i$/, ''));
  const text = (name: string): string => stringOf(fields.get(name) ?? '""');
  const [stream, series] = [tags.get('stream'), tags.get('series')];
  const figures = {
    score: number('score'),
    satisfaction: number('satisfaction'),
    dissatisfied: number('dissatisfied'),
  };
  const sizes = { durationMs: number('duration_ms'), turns: number('turns') };
  if (stream === undefined || series === undefined) return null;
  if (![...Object.values(figures), ...Object.values(sizes)].every(Number.isFinite)) return null;
  const timeNs = BigInt(parts.time);
  const decisive = upTo(DECISIVE_MAX).map((i) => ({ turn: number(`decisive_${i}`), effect: number(`effect_${i}`) }));
  const end: CallEnd = {
    ...{ timeMs: Number(timeNs / NS_A_MS), sentiment: text('class'), endedBy: text('ended_by'), ...figures, ...sizes },
    decisive: decisive.filter(({ turn, effect }) => turn > 0 && Number.isFinite(effect)),
    lines: upTo(LINES_MAX)
      .map((i) => text(`line_${i}`))
      .filter((said) => said !== ''),
    categories: text('categories')
      .split(',')
      .filter((name) => name !== ''),
  };
  return { stream, series, timeNs, end };
}

function partsOf(line: string): ReturnType<typeof splitLine> | null {
  try {
    const parts = splitLine(line);
    return /^-?\d+$/.test(parts.time) ? parts : null;
  } catch (error) {
    // One broken line must not cost the lines that came with it.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function stringOf(field: string): string {
  return field.slice(1, -1).replace(/\\(["\\])/g, '$1');
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
