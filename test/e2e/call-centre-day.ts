/** A scripted day of a call centre, nine to five, and what has to come of it. */
import type { OutgoingRecord } from '@tideline/adapters';

export const QUEUES = ['billing', 'orders', 'support'] as const;
const HOURS = [9, 10, 11, 12, 13, 14, 15, 16] as const;
const HOUR_MS = 3_600_000;
/** A Tuesday. */
export const DAY_MS = Date.UTC(2024, 0, 9);

/** One agent a queue and hour's half: `a0` to `a5`; the first three are Nora's. */
export const RULES = `
categories:
  - { name: cancellation, words: [cancel*] }
rules:
  - { name: unhappy, when: { score_below: -0.4, turns: 3, speaker: customer } }
  - { name: wants-to-leave, when: { category: cancellation, speaker: customer }, severity: critical }
  - { name: dead-air, when: { silence_seconds: 60 }, severity: info }
supervisors:
  - { name: Nora, agents: [a0, a1, a2] }
`;

type Event = Readonly<Record<string, unknown>>;

interface Kind {
  /** Seconds from the call's beginning, event. */
  readonly events: readonly (readonly [seconds: number, event: Event])[];
  /** Turns that count, rules that speak, seconds of silence by the call's clock. */
  readonly turns: number;
  readonly alerts: readonly string[];
  readonly silenceMs: number;
}

const say = (speaker: string, text: string, startS: number, endS: number, more: Event = {}): Event => ({
  ...{ type: 'utterance', speaker, text, startMs: startS * 1e3, endMs: endS * 1e3, final: true, ...more },
});
const BAD = 'I am very disappointed, nobody helped me with the order, it is terrible.';

export const KINDS = {
  /** Good, with a partial version and one final that is sent twice. */
  calm: {
    events: [
      [1, say('agent', 'Good morning, how can I help you?', 0, 1)],
      [3, say('customer', 'Thank you, the', 2, 3, { final: false })],
      [5, say('customer', 'Thank you, the router works now, you are very kind.', 2, 5)],
      [6, say('customer', 'Thank you, the router works now, you are very kind.', 2, 5)],
      [8, say('agent', 'Wonderful, I am happy with that.', 5, 8)],
    ],
    turns: 3,
    alerts: [],
    silenceMs: 1_000,
  },
  /** Three bad turns of the customer in a row, then they want to go. */
  angry: {
    events: [
      [1, say('agent', 'Good morning, how can I help you?', 0, 1)],
      [4, say('customer', BAD, 1, 4)],
      [6, say('agent', 'Let me look at your order.', 4, 6)],
      [9, say('customer', BAD, 6, 9)],
      [12, say('customer', BAD, 10, 12)],
      [15, say('customer', 'I want to cancel the contract.', 12, 15)],
    ],
    turns: 6,
    alerts: ['unhappy', 'wants-to-leave'],
    silenceMs: 1_000,
  },
  /** Held for two minutes, which is no silence, then silent for 70 s, then handed over. */
  quiet: {
    events: [
      [1, say('customer', 'I am calling about my bill.', 0, 1)],
      [2, { type: 'hold' }],
      [123, say('agent', 'I can see the bill in the system.', 121, 123)],
      [195, say('agent', 'It is on its way.', 193, 195)],
      [196, { type: 'transfer', agentId: 'a9' }],
      [198, say('agent', 'Hello, this is the second line.', 196, 198)],
    ],
    turns: 4,
    alerts: ['dead-air'],
    silenceMs: 71_000,
  },
} as const satisfies Record<string, Kind>;
export type KindName = keyof typeof KINDS;

export interface ScriptedCall {
  readonly callId: string;
  readonly kind: KindName;
  readonly queue: string;
  readonly agent: string;
  readonly hour: number;
}

/** Each hour each queue has one call of each kind. */
export function scriptedCalls(): ScriptedCall[] {
  return HOURS.flatMap((hour) =>
    QUEUES.flatMap((queue, q) =>
      (Object.keys(KINDS) as KindName[]).map((kind) => {
        const agent = `a${q + (hour < 13 ? 0 : QUEUES.length)}`;
        return { callId: `${kind}-${queue}-${hour}`, kind, queue, agent, hour };
      }),
    ),
  );
}

/** The day's records in the order of their times. A call of the last hour does not end: it is under way. */
export function scriptedRecords(): OutgoingRecord[] {
  const records = scriptedCalls().flatMap(({ callId, kind, queue, agent, hour }, i) => {
    const beginMs = DAY_MS + hour * HOUR_MS + (i % 9) * 301_000;
    const events: readonly (readonly [number, Event])[] = [
      [0, { type: 'started', queue, agentId: agent }],
      ...KINDS[kind].events,
      ...(hour === HOURS[HOURS.length - 1] ? [] : ([[200, { type: 'ended' }]] as const)),
    ];
    return events.map(([seconds, event]) => {
      const ts = beginMs + seconds * 1e3;
      return { key: callId, value: JSON.stringify({ callId, ts, ...event }), timestampMs: ts };
    });
  });
  return records.sort((a, b) => a.timestampMs - b.timestampMs);
}
