/**
 * The transitions of a shard as Lua, one script each, so that Redis runs it at once or not at all. They say what `../memory/shard-state.ts`
 * says; the contract suite holds the two together.
 *
 * Keys of a shard share its hash tag, so that a cluster keeps them in one place:
 * - KEYS[1] `<prefix>:{<shard>}:meta`, hash: epoch, owner, position, from (start of the newest commit), head, model, ticket, outstanding ('1' or
 *   '0'), logBytes, bytesIn (bytes ever appended). `head` and `position` are absent before the first append.
 * - KEYS[2] `<prefix>:{<shard>}:log`, stream: id `<next>-0`, so ids grow and repeat as offsets do; fields `at` (bytesIn before the entry) and `bytes`.
 * - KEYS[3] `<prefix>:{<shard>}:state`, hash: series -> state.
 *
 * Offsets travel and return as the strings that they came as: Lua's tostring keeps 14 digits only.
 *
 * Who claimed a shard last hears of what happens to it, in the channel `<prefix>:appends:<owner>`: '<head> <shard>' after an append that needed no ticket,
 * '* <shard>' when somebody else claims it. Nothing depends on that word; it spares a round of the queue (see append-feed.ts).
 */

/** A script and what it is called with. */
export interface ShardScript {
  readonly name: string;
  readonly numberOfKeys: number;
  readonly lua: string;
}

/**
 * KEYS meta log state; ARGV from, next, begins ('1'/'0'), bytes, logBytesMax, logRecordsMax, channel without its owner, shard.
 * Returns {'ok', head, ticket or nil} | {'seek', head or nil} | {'full', head}.
 */
export const APPEND_SCRIPT: ShardScript = {
  name: 'tidelineAppend',
  numberOfKeys: 3,
  lua: `
local meta = redis.call('HMGET', KEYS[1], 'head', 'position', 'ticket', 'outstanding', 'logBytes', 'bytesIn', 'owner')
local head, position, ticket, outstanding = meta[1], meta[2], meta[3], meta[4] == '1'
local from, upto, bytes = ARGV[1], ARGV[2], ARGV[4]
if not head then
  if ARGV[3] ~= '1' then return {'seek', false} end
  -- What a half-deleted shard left behind belongs to no position.
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'position', from, 'from', '-1')
  head, position = from, from
elseif tonumber(upto) <= tonumber(head) then
  return {'ok', head, outstanding and ticket or false}
elseif tonumber(from) ~= tonumber(head) then
  return {'seek', head}
end
local logBytes, bytesIn = tonumber(meta[5] or '0'), meta[6] or '0'
local over = logBytes + #bytes > tonumber(ARGV[5]) or tonumber(upto) - tonumber(position) > tonumber(ARGV[6])
if over and tonumber(head) > tonumber(position) then return {'full', head} end
redis.call('XADD', KEYS[2], upto .. '-0', 'at', bytesIn, 'bytes', bytes)
redis.call('HSET', KEYS[1], 'head', upto, 'outstanding', '1')
redis.call('HINCRBY', KEYS[1], 'logBytes', #bytes)
redis.call('HINCRBY', KEYS[1], 'bytesIn', #bytes)
if outstanding then
  if meta[7] then redis.call('PUBLISH', ARGV[7] .. meta[7], upto .. ' ' .. ARGV[8]) end
  return {'ok', upto, false}
end
return {'ok', upto, redis.call('HINCRBY', KEYS[1], 'ticket', 1)}
`,
};

/** KEYS meta; ARGV owner, channel without its owner, shard. Returns {epoch, position or nil, model or nil}. */
export const CLAIM_SCRIPT: ShardScript = {
  name: 'tidelineClaim',
  numberOfKeys: 1,
  lua: `
local meta = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'position', 'model')
local epoch = meta[2]
if meta[1] ~= ARGV[1] then
  epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  if meta[1] then redis.call('PUBLISH', ARGV[2] .. meta[1], '* ' .. ARGV[3]) end
end
return {epoch, meta[3], meta[4]}
`,
};

/**
 * KEYS meta log; ARGV start of the ids, count. Returns {epoch or nil, position or nil, entries}. Read with what the fence asks for, as of one moment; a
 * script is one request where a transaction is four.
 */
export const READ_SCRIPT: ShardScript = {
  name: 'tidelineRead',
  numberOfKeys: 2,
  lua: `
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'position')
return {meta[1], meta[2], redis.call('XRANGE', KEYS[2], ARGV[1], '+', 'COUNT', ARGV[2])}
`,
};

/** KEYS meta; ARGV epoch, keep ('1'/'0'). Returns {'ok', ticket or nil (drained)} | {'epoch', current or nil}. */
export const RELEASE_SCRIPT: ShardScript = {
  name: 'tidelineRelease',
  numberOfKeys: 1,
  lua: `
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'position', 'head', 'ticket')
if meta[1] ~= ARGV[1] then return {'epoch', meta[1]} end
if not meta[3] or tonumber(meta[3]) <= tonumber(meta[2]) then
  redis.call('HSET', KEYS[1], 'outstanding', '0')
  return {'ok', false}
end
local ticket = meta[4]
if ARGV[2] ~= '1' then ticket = redis.call('HINCRBY', KEYS[1], 'ticket', 1) end
redis.call('HSET', KEYS[1], 'outstanding', '1')
return {'ok', ticket}
`,
};
