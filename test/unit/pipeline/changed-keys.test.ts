import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangedKeys } from '@tideline/pipeline';

test('a chunk that the store lost still tells its keys: a batch of it may be committed after, when compaction has taken the record away', () => {
  const changed = new ChangedKeys();
  changed.adopt([], 10);
  changed.appended({ from: 10, next: 12, keys: ['lost', 'kept'] });
  // The store fell back to 10, and the topic gives fewer records than before.
  changed.appended({ from: 10, next: 14, keys: ['kept', 'new'] });
  assert.equal(changed.complete, false);
  changed.adopt([{ from: 10, next: 14, keys: ['kept', 'new'] }], 10);
  assert.deepEqual(changed.take(10), []);
  assert.equal(changed.end, 14);
  assert.ok(changed.take(12).includes('lost'));
  assert.ok(!changed.take(14).includes('lost'), 'handed out once');
});
