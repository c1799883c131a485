/**
 * A commit as Lua, for the keys of `shard-scripts.ts`. A small one is one script, states and all. The states of a large one would be copied, and hashed byte
 * by byte, on their way through Lua: there Redis's own HSET takes them, between a script that looks and one that moves the position, in one transaction
 * (`commit-states.ts`).
 */
import type { ShardScript } from './shard-scripts.ts';

/** ARGV epoch, from, position, position + 1, model. `refusal`: what is answered where the commit is not to be done; nil where it is. */
const JUDGE = `
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'position', 'from', 'head', 'bytesIn')
local refusal
if meta[1] ~= ARGV[1] then
  refusal = {'epoch', meta[1]}
elseif meta[2] ~= ARGV[2] then
  refusal = {'position', meta[2]}
  -- The newest commit again: its reply was lost.
  if meta[2] == ARGV[3] and meta[3] == ARGV[2] then refusal = {'ok'} end
end
`;

/** KEYS meta log. */
const MOVE_ON = `
redis.call('HSET', KEYS[1], 'position', ARGV[3], 'from', ARGV[2], 'model', ARGV[5])
if tonumber(ARGV[3]) > tonumber(meta[4]) then redis.call('HSET', KEYS[1], 'head', ARGV[3]) end
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4] .. '-0')
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local logBytes = 0
if first then logBytes = tonumber(meta[5]) - tonumber(first[2][2]) end
redis.call('HSET', KEYS[1], 'logBytes', string.format('%.0f', logBytes))
return {'ok'}
`;

/**
 * KEYS meta log state; ARGV epoch, from, position, position + 1, model, k, r, then k pairs of series and state, then r series to remove.
 * Returns {'ok'} | {'epoch', current or nil} | {'position', current or nil}.
 */
export const COMMIT_SCRIPT: ShardScript = {
  name: 'tidelineCommit',
  numberOfKeys: 3,
  lua: `${JUDGE}
if refusal then return refusal end
local function inChunks(command, first, last)
  -- Lua's unpack is bounded by its stack of 8,000; 7,000 is even, so no pair is torn.
  for at = first, last, 7000 do redis.call(command, KEYS[3], unpack(ARGV, at, math.min(at + 6999, last))) end
end
local pairsEnd = 7 + 2 * tonumber(ARGV[6])
inChunks('HSET', 8, pairsEnd)
inChunks('HDEL', pairsEnd + 1, pairsEnd + tonumber(ARGV[7]))
${MOVE_ON}`,
};

/**
 * KEYS meta log state parked; ARGV epoch, from, position, position + 1, model. A transaction cannot be left half-way, so where the commit is refused the
 * states stand aside under another name, and what comes between goes into a hash that END_COMMIT_LUA throws away. Neither needs memory: a server without any
 * refuses the transaction as a whole, or runs all of it.
 */
export const BEGIN_COMMIT_LUA = `${JUDGE}
if refusal and redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
return false
`;

/** Keys and arguments are those of BEGIN_COMMIT_LUA. Returns what COMMIT_SCRIPT returns. */
export const END_COMMIT_LUA = `${JUDGE}
if refusal then
  redis.call('DEL', KEYS[3])
  if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('RENAME', KEYS[4], KEYS[3]) end
  return refusal
end
${MOVE_ON}`;
