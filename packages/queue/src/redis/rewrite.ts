/**
 * Gives a message another id and body in its place.
 *
 * KEYS[1] wait list, KEYS[2] active list, KEYS[3] the message, KEYS[4] the message under its new id, KEYS[5] its lock,
 * KEYS[6] its lock under the new id.
 * ARGV[1] id, ARGV[2] new id, ARGV[3] name, ARGV[4] data, ARGV[5] the token that must hold the lock ('' for none).
 * Returns 1 when done, 0 when the message is not there or somebody else's, or when another has the new id: one in its
 * place would leave an id in the lists without a message, for good.
 */
export const REWRITE_LUA = `
local lock = redis.call('GET', KEYS[5]) or ''
if lock ~= ARGV[5] or redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
if ARGV[1] ~= ARGV[2] and redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
for i = 1, 2 do
  if redis.call('LINSERT', KEYS[i], 'BEFORE', ARGV[1], ARGV[2]) > 0 then
    redis.call('LREM', KEYS[i], 1, ARGV[1])
    redis.call('RENAME', KEYS[3], KEYS[4])
    redis.call('HSET', KEYS[4], 'name', ARGV[3], 'data', ARGV[4])
    if lock ~= '' then redis.call('RENAME', KEYS[5], KEYS[6]) end
    return 1
  end
end
return 0
`;
