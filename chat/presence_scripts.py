"""The Lua scripts of presence in Redis. Each runs as one step, by Redis' own clock."""

LOGGED = 256  # changes of a place; who knows less of it reads it whole

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A place begins at the time: its version is above any that it had before, if it changed less than
# a thousand times a second. For the minute in which that may not hold it outlives the place. Its
# log has the members that changed, one a version, the last one first.
_CHANGED = f"""
local function changed(base, id)
  local version, log = base .. ':version', base .. ':log'
  if redis.call('EXISTS', version) == 0 then
    redis.call('SET', version, now)
    redis.call('DEL', log)
  end
  redis.call('PERSIST', version)
  redis.call('LPUSH', log, id)
  redis.call('LTRIM', log, 0, {LOGGED - 1})
  redis.call('PERSIST', log)
  return redis.call('INCR', version)
end
local function emptied(base)
  redis.call('EXPIRE', base .. ':version', 60)
  redis.call('EXPIRE', base .. ':log', 60)
end
"""

# What is other than at a version: the version now, whether it is all there is (the log does not
# reach back), the records, who has gone, and whose lease has ended but still waits to be swept.
_NEWS = """
local function news(base, since)
  local version = tonumber(redis.call('GET', base .. ':version') or 0)
  local records, gone = {}, {}
  local ended = redis.call('ZRANGEBYSCORE', base .. ':leases', '-inf', now)
  local behind = version - since
  local all = behind < 0 or behind > redis.call('LLEN', base .. ':log')
  if all then
    records = redis.call('HVALS', base .. ':records')
  elseif behind > 0 then
    local seen = {}
    for _, id in ipairs(redis.call('LRANGE', base .. ':log', 0, behind - 1)) do
      if not seen[id] then
        seen[id] = true
        local record = redis.call('HGET', base .. ':records', id)
        if record then records[#records + 1] = record else gone[#gone + 1] = id end
      end
    end
  end
  return {version, all and 1 or 0, records, gone, ended}
end
"""

# ARGV: the beginning of the place's keys, the version that is known. Returns the news.
READ = _NOW + _NEWS + "return news(ARGV[1], tonumber(ARGV[2]))"

# KEYS: due. ARGV: the beginning of the place's keys, the version on which the change was decided
# and how many ended leases there were, the member, its record (empty: gone), milliseconds of the
# lease, whether the record is another one, the place, the holder that it is to have (empty: who it
# has), the holder that is known.
# Returns version and count; or, when somebody else has changed the place meanwhile, the news; or
# the holder, when it is neither of the two.
CHANGE = (
    _NOW
    + _CHANGED
    + _NEWS
    + """
local base, since, id, record = ARGV[1], tonumber(ARGV[2]), ARGV[4], ARGV[5]
local leases, holders = base .. ':leases', base .. ':holders'
local version = tonumber(redis.call('GET', base .. ':version') or 0)
if version ~= since or redis.call('ZCOUNT', leases, '-inf', now) ~= tonumber(ARGV[3]) then
  return news(base, since)
end
if ARGV[9] ~= '' then
  local holder = redis.call('HGET', holders, id) or ''
  if holder ~= ARGV[9] and holder ~= ARGV[10] then return {holder} end
end
if record == '' then
  redis.call('ZREM', leases, id)
  redis.call('HDEL', base .. ':records', id)
  redis.call('HDEL', holders, id)
else
  local ends = now + ARGV[6]
  redis.call('ZADD', leases, ends, id)
  redis.call('HSET', base .. ':records', id, record)
  if ARGV[9] ~= '' then redis.call('HSET', holders, id, ARGV[9]) end
  local due = redis.call('ZSCORE', KEYS[1], ARGV[8])
  if not due or tonumber(due) > ends then redis.call('ZADD', KEYS[1], ends, ARGV[8]) end
end
if ARGV[7] == '1' then version = changed(base, id) end
if redis.call('ZCARD', leases) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[8])
  emptied(base)
end
return {version, redis.call('ZCOUNT', leases, '(' .. now, '+inf')}
"""
)

# KEYS: due. ARGV: prefix, milliseconds of the lease, then place, member, record and holder of each.
# Whom Redis has forgotten is put back; the version tells the others that somebody is. Returns, by
# their numbers, those whom another line has taken.
RENEW = (
    _NOW
    + _CHANGED
    + """
local ends, taken = now + ARGV[2], {}
for i = 3, #ARGV, 4 do
  local place, id, record, own = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local base = ARGV[1] .. place
  local holder = redis.call('HGET', base .. ':holders', id)
  if holder and holder ~= own then
    taken[#taken + 1] = (i - 3) / 4
  else
    redis.call('ZADD', base .. ':leases', ends, id)
    if not holder then redis.call('HSET', base .. ':holders', id, own) end
    if redis.call('HSETNX', base .. ':records', id, record) == 1 then changed(base, id) end
    redis.call('ZADD', KEYS[1], 'NX', ends, place)
  end
end
return taken
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
      local version = changed(base, id)
      lost[#lost + 1] = {place, record, redis.call('ZCARD', base .. ':leases'), version}
    end
  end
  local first = redis.call('ZRANGE', base .. ':leases', 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', KEYS[1], first[2], place)
  else
    redis.call('ZREM', KEYS[1], place)
    emptied(base)
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
