"""The Lua scripts of presence in Redis. Each runs as one step, by Redis' own clock."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A place begins at the time: its version is above any that it had before, if it changed less than
# a thousand times a second. For the minute in which that may not hold it outlives the place.
_CHANGED = """
local function changed(version)
  if redis.call('EXISTS', version) == 0 then redis.call('SET', version, now) end
  redis.call('PERSIST', version)
  return redis.call('INCR', version)
end
local function emptied(version) redis.call('EXPIRE', version, 60) end
"""

# KEYS: leases, records, version. Returns the version, then the records of the living.
READ = (
    _NOW
    + """
local answer = {tonumber(redis.call('GET', KEYS[3]) or 0)}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do
  local record = redis.call('HGET', KEYS[2], id)
  if record then answer[#answer + 1] = record end
end
return answer
"""
)

# KEYS: leases, records, version, due, holders. ARGV: the version that was read, the member, its
# record (empty: gone), milliseconds of the lease, whether the record is another one, the place.
# Returns version and count, or nothing when somebody else has changed the place meanwhile.
CHANGE = (
    _NOW
    + _CHANGED
    + """
if tonumber(redis.call('GET', KEYS[3]) or 0) ~= tonumber(ARGV[1]) then return nil end
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[5], ARGV[2])
else
  local ends = now + ARGV[4]
  redis.call('ZADD', KEYS[1], ends, ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  local due = redis.call('ZSCORE', KEYS[4], ARGV[6])
  if not due or tonumber(due) > ends then redis.call('ZADD', KEYS[4], ends, ARGV[6]) end
end
local version = tonumber(redis.call('GET', KEYS[3]) or 0)
if ARGV[5] == '1' then version = changed(KEYS[3]) end
if redis.call('ZCARD', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[4], ARGV[6])
  emptied(KEYS[3])
end
return {version, redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')}
"""
)

# KEYS: due. ARGV: prefix, milliseconds of the lease, the name of the process that renews, then
# place, member and record of each.
# Whom Redis has forgotten is put back; the version tells the others that somebody is.
RENEW = (
    _NOW
    + _CHANGED
    + """
local ends = now + ARGV[2]
for i = 4, #ARGV, 3 do
  local place, id, record = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local base = ARGV[1] .. place
  redis.call('ZADD', base .. ':leases', ends, id)
  redis.call('HSET', base .. ':holders', id, ARGV[3])
  if redis.call('HSETNX', base .. ':records', id, record) == 1 then changed(base .. ':version') end
  redis.call('ZADD', KEYS[1], 'NX', ends, place)
end
return 1
"""
)

# KEYS: due. ARGV: prefix. Removes whoever's lease has ended, and returns for each: place, record,
# how many are left, version. A place is visited again when the next lease in it may end.
EXPIRE = (
    _NOW
    + _CHANGED
    + """
local lost = {}
for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 200)) do
  local base = ARGV[1] .. place
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':leases', '-inf', now)) do
    local record = redis.call('HGET', base .. ':records', id)
    redis.call('ZREM', base .. ':leases', id)
    redis.call('HDEL', base .. ':records', id)
    redis.call('HDEL', base .. ':holders', id)
    if record then
      local version = changed(base .. ':version')
      lost[#lost + 1] = {place, record, redis.call('ZCARD', base .. ':leases'), version}
    end
  end
  local first = redis.call('ZRANGE', base .. ':leases', 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', KEYS[1], first[2], place)
  else
    redis.call('ZREM', KEYS[1], place)
    emptied(base .. ':version')
  end
end
return lost
"""
)

# KEYS: due. ARGV: prefix, the beginning of the places' names. Returns place, count, place, count …
COUNTS = (
    _NOW
    + """
local counts = {}
for _, place in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(place, 1, #ARGV[2]) == ARGV[2] then
    local count = redis.call('ZCOUNT', ARGV[1] .. place .. ':leases', '(' .. now, '+inf')
    if count > 0 then
      counts[#counts + 1] = place
      counts[#counts + 1] = count
    end
  end
end
return counts
"""
)
