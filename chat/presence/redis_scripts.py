"""The Lua scripts of presence in Redis. Each runs as one atomic step, by the clock of Redis."""

from chat.presence.base import REMEMBER_END_S

LOGGED = 256  # changes in the log of a place; an older reader gets the whole place
SWEPT_AT_ONCE = 200  # places in one step of a sweep, for which other processes wait

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A place begins at the time in milliseconds, so that its version exceeds any of a former life, if
# it changed less than a thousand times a second. For the minute in which that may fail, the version
# outlives the place. The log has the members that changed, one a version, the last one first.
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

# The changes since a version: the current version, whether the records are the whole place (the log
# does not reach back), the records, the removed members, and members whose lease has ended but is
# not swept yet.
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

# ARGV: prefix of the place's keys, the known version. Returns the changes.
READ = _NOW + _NEWS + "return news(ARGV[1], tonumber(ARGV[2]))"

# ARGV: prefix and known version of each place. Returns the changes and the holders of each.
READ_MANY = (
    _NOW
    + _NEWS
    + """
local found = {}
for i = 1, #ARGV, 2 do
  local delta = news(ARGV[i], tonumber(ARGV[i + 1]))
  found[#found + 1] = {delta, redis.call('HGETALL', ARGV[i] .. ':holders')}
end
return found
"""
)

# A holder is process, id and number of a connection, and "gone" after its end: then no renewal
# prolongs the grace. The number of a removed member outlives it, also after the grace. So a renewal
# or a take that was sent before does not revive the member.
_HOLDERS = f"""
local function holder_of(base, id)
  local holder = redis.call('HGET', base .. ':holders', id)
  if not holder then return nil end
  local line, number, gone = string.match(holder, '^%S+ (%S*) ?(%d*) ?(%a*)$')
  return {{line = line, number = tonumber(number) or 0, gone = gone == 'gone', text = holder}}
end
local function remember_end(base, id, holder)
  local number = holder and holder.number or 0
  redis.call('SET', base .. ':ended:' .. id, number, 'PX', {int(REMEMBER_END_S * 1000)})
end
"""

# KEYS: due. ARGV: the names on the first line. `ended` is the number of ended leases when the
# change was decided. `record` is empty for a removal, `action` is empty without a claim.
# Returns "changed" with version, count and the former connection; "stale" with the changes, if
# another process has changed the place meanwhile; "held", if a newer connection holds the member.
CHANGE = (
    _NOW
    + _CHANGED
    + _NEWS
    + _HOLDERS
    + """
local base, since, ended, id, record, is_change, place, action, process, line, number, lease_ms
  = unpack(ARGV)
since, ended = tonumber(since), tonumber(ended)
local leases, holders = base .. ':leases', base .. ':holders'
local version = tonumber(redis.call('GET', base .. ':version') or 0)
if version ~= since or redis.call('ZCOUNT', leases, '-inf', now) ~= ended then
  return {'stale', news(base, since)}
end
local holder = holder_of(base, id)
if action == 'take' then
  local last = holder and holder.number or tonumber(redis.call('GET', base .. ':ended:' .. id) or 0)
  if tonumber(number) < last and not (holder and holder.line == line) then
    return {'held'}
  end
elseif action ~= '' and holder and (holder.line ~= line or holder.gone) then
  return {'held'}
end
if record == '' then
  redis.call('ZREM', leases, id)
  redis.call('HDEL', base .. ':records', id)
  redis.call('HDEL', holders, id)
  remember_end(base, id, holder)
else
  redis.call('HSET', base .. ':records', id, record)
  if action == 'take' then
    redis.call('HSET', holders, id, process .. ' ' .. line .. ' ' .. number)
    redis.call('DEL', base .. ':ended:' .. id)
  elseif action == 'release' and holder then
    redis.call('HSET', holders, id, holder.text .. ' gone')
  end
  if action == 'take' or action == 'release' then
    local ends = now + lease_ms
    redis.call('ZADD', leases, ends, id)
    local due = redis.call('ZSCORE', KEYS[1], place)
    if not due or tonumber(due) > ends then redis.call('ZADD', KEYS[1], ends, place) end
  end
end
if is_change == '1' then version = changed(base, id) end
if redis.call('ZCARD', leases) == 0 then
  redis.call('ZREM', KEYS[1], place)
  emptied(base)
end
local count = redis.call('ZCOUNT', leases, '(' .. now, '+inf')
return {'changed', version, count, holder and holder.line or ''}
"""
)

# KEYS: due. ARGV: prefix, the process, milliseconds of the lease; then of each lease: place,
# member, record, connection and its number. Forgotten members are restored, and the version rises.
# Returns, by position, the leases of members that a newer connection holds, and the leases of
# removed members.
RENEW = (
    _NOW
    + _CHANGED
    + _HOLDERS
    + """
local ends, taken, ended = now + ARGV[3], {}, {}
for i = 4, #ARGV, 5 do
  local place, id, record, line, number = unpack(ARGV, i, i + 4)
  local base, own = ARGV[1] .. place, ARGV[2] .. ' ' .. line .. ' ' .. number
  local holder = holder_of(base, id)
  local last = not holder and redis.call('GET', base .. ':ended:' .. id)
  local is_own = holder and holder.line == line and not holder.gone
  if holder and not is_own and tonumber(number) <= holder.number then
    taken[#taken + 1] = (i - 4) / 5
  elseif last and tonumber(number) <= tonumber(last) then
    ended[#ended + 1] = (i - 4) / 5
  else
    redis.call('ZADD', base .. ':leases', ends, id)
    if not is_own then redis.call('HSET', base .. ':holders', id, own) end
    if redis.call('HSETNX', base .. ':records', id, record) == 1 then changed(base, id) end
    redis.call('ZADD', KEYS[1], 'NX', ends, place)
  end
end
return {taken, ended}
"""
)

# KEYS: due. ARGV: prefix, time in milliseconds. Removes members whose lease had ended at that time,
# in some of the due places. Returns for each: place, record, number of remaining members, version;
# and whether more places may be due. A place is due again when the next lease in it may end.
EXPIRE = (
    _NOW
    + _CHANGED
    + _HOLDERS
    + f"""
local ends = math.min(now, ARGV[2])
local places = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ends, 'LIMIT', 0, {SWEPT_AT_ONCE})
local more = #places == {SWEPT_AT_ONCE} and 1 or 0
"""
    + """
local lost = {}
for _, place in ipairs(places) do
  local base = ARGV[1] .. place
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':leases', '-inf', ends)) do
    local record = redis.call('HGET', base .. ':records', id)
    local holder = holder_of(base, id)
    if holder and holder.gone then remember_end(base, id, holder) end
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
return {lost, more}
"""
)

# KEYS: due. ARGV: prefix, beginning of the names of places. Returns place, count, place, count …
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
