import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkBuilder, type RawRecord } from '@tideline/pipeline';
import { createCallStream, namesIn, nameTokensOf, redactText } from '@tideline/streams';
import fc from 'fast-check';

const KEPT: readonly string[] = [
  'order 4111111111111112 please', // no card: the checksum fails
  'I ordered from Rahul Electronics',
  'the Rahul is broken',
  'My name is on the bill',
  'This is Unacceptable',
  'will you mark my words',
  'April was bad, in May I called',
  'The router number is four one seven two.',
  'It cost 1,234,567 dollars on 2024-01-31 at 10:30',
  'the invoice 20240131 of 120.50',
  'GB82WEST12345698765433 fails its checksum',
];
const TAKEN: readonly (readonly [string, string])[] = [
  ['My card is 4111 1111 1111 1111 12/26, thanks', 'My card is [CARD] 12/26, thanks'],
  ['DE89 3704 0044 0532 0130 00 is my account', '[IBAN] is my account'],
  ['mail me at rahul.sharma@example.co.uk', 'mail me at [EMAIL]'],
  ['john dot smith at gmail dot com', '[EMAIL]'],
  ['+49 170 1234567 or (555) 123-4567 or 555-123-4567', '[PHONE] or [PHONE] or [PHONE]'],
  ['four one one one two three four five', '[NUMBER]'],
  ['I live at 12 Main street, apt 4', 'I live at [ADDRESS]'],
  ['Hauptstraße 5a, Berlin', '[ADDRESS], Berlin'],
  ['Rahul is my husband', '[NAME] is my husband'],
  ['my name is xiulan zhou', 'my name is [NAME]'],
  ['This is Siobhan speaking', 'This is [NAME] speaking'],
  ['I spoke with Will yesterday', 'I spoke with [NAME] yesterday'],
  ['i spoke with rahul sharma yesterday', 'i spoke with [NAME] yesterday'],
  ["Mr. Okonkwo called about Priya's order", "Mr. [NAME] called about [NAME]'s order"],
  ['it is spelled s m i t h', 'it is spelled [NAME]'],
];

test('what tells a person goes, what looks like it stays', () => {
  for (const text of KEPT) assert.equal(redactText(text), text);
  for (const [text, redacted] of TAKEN) assert.equal(redactText(text), redacted);
});

/** Rules and lists find none of these names: what the whole sentence says does. */
const TAGGED: readonly (readonly [string, string])[] = [
  ['ask folasade, she signed it', 'ask [NAME], she signed it'],
  ['the driver was called gustavo quintanilla', 'the driver was called [NAME]'],
  ['Mateusz promised a callback', '[NAME] promised a callback'],
  ['i gave it to thandiwe nkosi', 'i gave it to [NAME]'],
];

test('the tagger finds names that no list knows, and the same word is a name in one sentence and none in another', () => {
  for (const [text, redacted] of TAGGED) {
    assert.ok(!namesIn(text, nameTokensOf(text), null).includes(1), `rules find a name in: ${text}`);
    assert.equal(redactText(text), redacted);
  }
  assert.equal(redactText('Rahul will call you back'), '[NAME] will call you back');
  assert.equal(redactText('I ordered from Rahul Electronics'), 'I ordered from Rahul Electronics');
  // Capitals say nothing where all are.
  assert.equal(redactText('ASK FOLASADE, SHE SIGNED IT'), 'ASK [NAME], SHE SIGNED IT');
});

test('a long text is tagged in parts that overlap: a name is found wherever it stands', () => {
  const filler = 'the parcel was left at the door and the invoice is wrong again '.repeat(12);
  for (let at = 0; at < 120; at += 7) {
    const words = filler.trim().split(' ');
    words.splice(at, 0, 'so', 'then', 'keisha', 'hung', 'up', 'on', 'me');
    assert.match(redactText(words.join(' ')), /then \[NAME\] hung/, `at word ${at}`);
  }
});

test('a redacted text is redacted no further', () => {
  const parts = [...KEPT, ...TAKEN.flat(), ...'0 1 9 . , : - @ + ( ) [ ] \n'.split(' '), 'dot', 'at', 'Ö', '李'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts, ' '), { maxLength: 8 }), (texts) => {
      const once = redactText(texts.join(' '));
      assert.equal(redactText(once), once);
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('a text of any kind and 20,000 characters takes linear time', () => {
  for (const part of ['1 ', 'a dot ', 'John ', 'DE12 ', 'a@a.', 'one ', '12 a', 'x', ' ', '\u{1F600}']) {
    const measure = (characters: number): number => {
      const text = part.repeat(Math.ceil(characters / part.length));
      const before = process.cpuUsage();
      redactText(text);
      return process.cpuUsage(before).user / 1e3;
    };
    measure(1_000);
    // Of the processor, not by the clock on the wall. Where a pattern backtracks, such a text takes minutes.
    assert.ok(measure(20_000) < 2_000, part);
  }
});

test('a record that is kept whole decodes to the row that it was, and holds the fields of the contract alone', () => {
  const stream = createCallStream({ modelName: 'm', late: 'dead-letter' });
  const value = { callId: 'c1', ts: 1_700_000_000_000, type: 'utterance', speaker: 'customer', startMs: 5 };
  const raw: RawRecord = {
    offset: 3,
    key: Buffer.from('c1'),
    value: Buffer.from(JSON.stringify({ ...value, text: 'Rahul here', customerName: 'Rahul', extra: { a: 'Rahul' } })),
    timestampMs: 0,
    headers: {},
  };
  const kept = stream.redaction?.record(raw) ?? raw;
  assert.deepEqual(JSON.parse(Buffer.from(kept.value ?? []).toString()), { ...value, text: '[NAME] here' });
  const rowOf = (record: RawRecord) => {
    const builder = new ChunkBuilder(stream.schema, 1);
    stream.decode(record, builder);
    return builder.finish(4);
  };
  assert.deepEqual(rowOf(kept), rowOf(raw));
  assert.equal(createCallStream({ modelName: 'm', redact: false }).redaction, undefined);
});
