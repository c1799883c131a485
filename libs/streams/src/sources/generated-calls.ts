import { mulberry32, pick } from './random.ts';
import type { SourceRecord } from './source-record.ts';

export interface GeneratedCallsOptions {
  readonly seed: number;
  readonly calls: number;
  readonly startMs?: number;
}

const START_MS = Date.UTC(2024, 0, 2, 14, 30);
const QUEUES = ['billing', 'orders', 'support', 'cancellations'] as const;
const THINGS = [
  'bill',
  'order',
  'delivery',
  'router',
  'contract',
  'refund',
  'invoice',
  'password',
  'account',
  'phone line',
] as const;
const CUSTOMER = {
  negative: [
    'This is the third time my {thing} is wrong and I am really angry.',
    'I am very disappointed, nobody helped me with the {thing}.',
    'That is a terrible answer, the {thing} is still broken.',
    'I hate waiting for this, it is an awful service.',
    'No, that is unacceptable. I want to cancel the {thing}.',
    'The {thing} failed again and I lost a whole day, what a horrible mess.',
  ],
  neutral: [
    'I am calling about my {thing}.',
    'The {thing} number is four one seven two.',
    'It arrived on Tuesday, I think.',
    'Yes, that is the address on the {thing}.',
    'Could you tell me when the {thing} will be ready?',
    'I changed the {thing} last month.',
  ],
  positive: [
    'Thank you, that is a great help with the {thing}.',
    'Wonderful, I am happy with that.',
    'Perfect, the {thing} works now, you are very kind.',
    'Oh good, I appreciate that you fixed the {thing}.',
    'Excellent, that was easy. Thanks a lot!',
    'I love how quickly you solved the {thing}.',
  ],
} as const;
const AGENT = [
  'Good morning, how can I help you?',
  'Let me look at your {thing}.',
  'I am sorry about the trouble with the {thing}.',
  'I can see the {thing} in the system.',
  'I have corrected the {thing} for you.',
  'Could you give me the number of the {thing}, please?',
  'Unfortunately the {thing} will take two more days.',
] as const;

/**
 * Generated (not real) calls, interleaved as they would arrive: each has a mood that drifts from turn to turn.
 * The same options give the same records.
 */
export function* generatedCalls(options: GeneratedCallsOptions): Generator<SourceRecord> {
  const { seed, calls, startMs = START_MS } = options;
  const random = mulberry32(seed);
  const events: SourceRecord[] = [];
  for (let i = 0; i < calls; i += 1)
    events.push(...oneCall(random, `call-${String(i + 1).padStart(5, '0')}`, startMs + i * 7_000));
  // Sorting is stable: events of one call at one time keep their order.
  yield* events.sort((a, b) => a.timestampMs - b.timestampMs);
}

function oneCall(random: () => number, callId: string, startMs: number): SourceRecord[] {
  const records: SourceRecord[] = [];
  const thing = pick(random, THINGS);
  let ts = startMs;
  let mood = random() * 2 - 1.2;
  let moodSum = 0;
  const add = (event: Readonly<Record<string, unknown>>): void => {
    records.push({ topic: 'calls', key: callId, value: JSON.stringify({ callId, ts, ...event }), timestampMs: ts });
  };
  add({
    type: 'started',
    queue: pick(random, QUEUES),
    agentId: `a${1 + Math.floor(random() * 20)}`,
    customerId: `k${Math.floor(random() * 1e6)}`,
  });
  const turns = 4 + Math.floor(random() * 12);
  for (let turn = 0; turn < turns; turn += 1) {
    const isCustomer = turn % 2 === 1;
    const feeling = mood + 0.8 * (random() - 0.5) < -0.3 ? 'negative' : mood > 0.35 ? 'positive' : 'neutral';
    const text = pick(random, isCustomer ? CUSTOMER[feeling] : AGENT).replace('{thing}', thing);
    const startAt = ts - startMs + 300;
    ts += 1_500 + Math.floor(random() * 6_000);
    if (random() < 0.15)
      add({ type: 'utterance', speaker: isCustomer ? 'customer' : 'agent', text: text.slice(0, 12), final: false });
    add({
      type: 'utterance',
      speaker: isCustomer ? 'customer' : 'agent',
      text,
      startMs: startAt,
      endMs: ts - startMs,
      final: true,
    });
    moodSum += mood;
    mood = Math.max(-1.2, Math.min(1.2, mood + (random() - 0.42) * 0.7));
  }
  ts += 500;
  add({ type: 'ended', ...outcomeOf(mood, moodSum / turns) });
  return records;
}

/** What a survey after the call would say: the customer's mood at the end, and a rating of 1 to 5 in which the whole call counts, too. */
function outcomeOf(mood: number, meanMood: number): { readonly sentiment: string; readonly satisfaction: number } {
  const rating = Math.round(3 + 1.9 * (0.6 * mood + 0.4 * meanMood));
  return {
    sentiment: mood < -0.3 ? 'negative' : mood > 0.35 ? 'positive' : 'neutral',
    satisfaction: Math.max(1, Math.min(5, rating)),
  };
}
