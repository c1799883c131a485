/** Calls that are under way side by side, each with one utterance every few seconds, evenly spread; some say a word that a rule looks for. */
import type { OutgoingRecord } from '@tideline/adapters';

/** A rule looks for each, which speaks once in a call. */
export const ALERT_WORDS = [
  ...['lawyer', 'attorney', 'ombudsman', 'regulator', 'tribunal', 'lawsuit', 'solicitor', 'newspaper', 'journalist'],
  ...['police', 'fraud', 'scam', 'theft', 'leak', 'outage', 'ambulance', 'fire', 'flood', 'hospital', 'emergency'],
] as const;
/** Every n-th turn of a call says one. */
const TURNS_AN_ALERT = 4;

const TEXTS = [
  'I am calling about my bill, it is wrong again and I am really angry.',
  'Let me look at your order, could you give me the number please?',
  'Thank you, that is a great help with the router.',
  'Unfortunately the delivery will take two more days.',
  'It arrived on Tuesday, I think, but the box was open.',
  'I have corrected the account for you and sent a message.',
] as const;

export interface CallLoad {
  readonly calls: number;
  /** Between two utterances of one call. */
  readonly everyMs: number;
}

/** Rules file for the words. */
export function rulesText(): string {
  return `rules:\n${ALERT_WORDS.map((word) => `  - { name: said-${word}, when: { words: [${word}] } }\n`).join('')}`;
}

/** The calls' beginnings. */
export function startedRecords({ calls }: CallLoad, timestampMs: number): OutgoingRecord[] {
  return Array.from({ length: calls }, (_, call) =>
    recordOf(call, timestampMs, { type: 'started', queue: `queue-${call % 5}`, agentId: `a${call % 400}` }),
  );
}

/** The n-th utterance of all, due `n * everyMs / calls` after the beginning. */
export function utterance({ calls, everyMs }: CallLoad, n: number, beginMs: number): OutgoingRecord {
  const [call, turn] = [n % calls, Math.floor(n / calls)];
  const timestampMs = beginMs + Math.floor((n * everyMs) / calls);
  const startMs = turn * everyMs;
  const word = wordAt(turn);
  const text = TEXTS[(call + turn) % TEXTS.length];
  return recordOf(call, timestampMs, {
    type: 'utterance',
    speaker: turn % 2 === 0 ? 'customer' : 'agent',
    text: word === null ? text : `${text} I call the ${word}.`,
    startMs,
    endMs: startMs + 3_000,
  });
}

/** Whether the n-th utterance makes an alert. */
export function alerts({ calls }: CallLoad, n: number): boolean {
  return wordAt(Math.floor(n / calls)) !== null;
}

function wordAt(turn: number): string | null {
  return turn % TURNS_AN_ALERT === 0 ? (ALERT_WORDS[turn / TURNS_AN_ALERT] ?? null) : null;
}

function recordOf(call: number, ts: number, event: Readonly<Record<string, unknown>>): OutgoingRecord {
  const callId = `call-${call}`;
  return { key: callId, value: JSON.stringify({ callId, ts, ...event }), timestampMs: ts };
}
