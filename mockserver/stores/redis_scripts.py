"""Lua scripts that make each operation of the store atomic in Redis.

An item has up to seven entries: its value, its version with expiry, and the number of its dropped lines with the bytes
of the others in hashes; its lines in a list; and its key in sorted sets by name, by version (if it is not pinned), and
by expiry (if it has one). The time comes from outside: Redis runs no clock of ours.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

#: The braces put all keys into one slot of a cluster, as scripts require.
PREFIX = "{agent-contract}:"
#: The KEYS of each script, in this order.
KEYS = tuple(
    PREFIX + name
    for name in ("version", "used", "value", "about", "name", "written", "ending", "log", "count", "held", "lined")
)
#: With the name of a log after it, the key of the log's entries.
LOG = PREFIX + "log:"
#: With the key of an item after it, the key of the item's lines.
LINES = PREFIX + "line:"

#: What `PUT` returns for a pinned item that has no room.
NO_ROOM = -1

_SHARED = """
local VERSION, USED, VALUE, ABOUT, NAME, WRITTEN, ENDING, LOGS, COUNT, HELD, LINED = unpack(KEYS)

local function version_of(key, now)
  local about = redis.call('HGET', ABOUT, key)
  if not about then return nil end
  local version, expires = string.match(about, '^(%S+) (%S+)$')
  if expires ~= '-' and tonumber(now) > tonumber(expires) then return nil end
  return version
end

-- The number of dropped lines, and the bytes of the others.
local function lined(key)
  local dropped, bytes = string.match(redis.call('HGET', LINED, key) or '0 0', '^(%S+) (%S+)$')
  return tonumber(dropped), tonumber(bytes)
end

local function size_of(key)
  local _, bytes = lined(key)
  return redis.call('HSTRLEN', VALUE, key) + bytes
end

local function remove(key)
  local size = size_of(key)
  redis.call('HDEL', ABOUT, key)
  if redis.call('HDEL', LINED, key) == 1 then redis.call('DEL', LINES .. key) end
  redis.call('HDEL', VALUE, key)
  redis.call('ZREM', NAME, key)
  redis.call('ZREM', ENDING, key)
  redis.call('DECRBY', redis.call('ZREM', WRITTEN, key) == 1 and USED or HELD, size)
end

local function number_at(name) return tonumber(redis.call('GET', name) or 0) end

local function make_room(newest, items, size)
  while redis.call('ZCARD', WRITTEN) > tonumber(items) or number_at(USED) + number_at(HELD) > tonumber(size) do
    local oldest = redis.call('ZRANGE', WRITTEN, 0, 0)[1]
    if not oldest or oldest == newest then break end
    remove(oldest)
  end
end
"""

#: Returns the version and the value, or nothing.
GET = """
local key, now = unpack(ARGV)
local version = version_of(key, now)
return version and {tonumber(version), redis.call('HGET', VALUE, key)} or {}
"""

#: Returns the new version, 0 for a conflict, `NO_ROOM` for a pinned item that has none.
PUT = """
local key, value, expected, expires, pinned, now, items, size, swept, keep = unpack(ARGV, 1, 10)
local live = version_of(key, now)
if (live or '') ~= expected then return 0 end
local dropped, bytes = 0, 0
local lines = LINES .. key
if live then dropped, bytes = lined(key) end
for place = 11, #ARGV do bytes = bytes + #ARGV[place] end
local over = 0
if keep ~= '' then
  local stored = live and redis.call('LLEN', lines) or 0
  over = math.max(0, stored + #ARGV - 10 - tonumber(keep))
  if over > 0 then
    for _, line in ipairs(redis.call('LRANGE', lines, 0, math.min(over, stored) - 1)) do bytes = bytes - #line end
    for place = 11, 10 + over - stored do bytes = bytes - #ARGV[place] end
  end
end
if pinned == '1' then
  local old = redis.call('ZSCORE', WRITTEN, key) and 0 or size_of(key)
  if number_at(HELD) - old + #value + bytes > tonumber(size) then return -1 end
end
local version = redis.call('INCR', VERSION) -- the first write: a Redis without memory refuses it, and no later one
if live then
  redis.call('DECRBY', redis.call('ZREM', WRITTEN, key) == 1 and USED or HELD, size_of(key))
  redis.call('ZREM', ENDING, key)
else
  remove(key)
end
for place = 11, #ARGV do redis.call('RPUSH', lines, ARGV[place]) end
if over > 0 then redis.call('LTRIM', lines, over, -1) end
if dropped + over + bytes > 0 or #ARGV > 10 then
  redis.call('HSET', LINED, key, string.format('%.0f %.0f', dropped + over, bytes))
end
redis.call('HSET', VALUE, key, value)
redis.call('HSET', ABOUT, key, string.format('%.0f', version) .. ' ' .. expires)
redis.call('ZADD', NAME, 0, key)
if expires ~= '-' then redis.call('ZADD', ENDING, expires, key) end
if pinned == '0' then
  redis.call('ZADD', WRITTEN, version, key)
  redis.call('INCRBY', USED, #value + bytes)
else
  redis.call('INCRBY', HELD, #value + bytes)
end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', ENDING, '-inf', '(' .. now, 'LIMIT', 0, swept)) do remove(over) end
make_room(key, items, size)
return version
"""

#: Returns the lines of an item, oldest first.
READ_LINES = """
local key, now, first, limit = unpack(ARGV)
if not version_of(key, now) then return {} end
local begin = tonumber(first) - lined(key) - 1
local last = begin + limit - 1
if last < 0 then return {} end
return redis.call('LRANGE', LINES .. key, math.max(0, begin), last)
"""

#: Returns 1 if the key existed, 0 otherwise.
DELETE = """
local key, now = unpack(ARGV)
local version = version_of(key, now)
remove(key)
return version and 1 or 0
"""

#: Returns key, version and value of each item, in one flat list.
ITEMS = """
local from, to, limit, now = unpack(ARGV)
local found, wanted = {}, 3 * tonumber(limit)
while #found < wanted do
  local page = redis.call('ZRANGEBYLEX', NAME, from, to, 'LIMIT', 0, limit)
  if #page == 0 then break end
  for _, key in ipairs(page) do
    local version = version_of(key, now)
    if version and #found < wanted then
      found[#found + 1] = key
      found[#found + 1] = tonumber(version)
      found[#found + 1] = redis.call('HGET', VALUE, key)
    end
  end
  from = '(' .. page[#page]
end
return found
"""

COUNT_KEYS = """
local from, to = unpack(ARGV)
return redis.call('ZLEXCOUNT', NAME, from, to)
"""

#: Returns the number of the entry. The log's own key is the last of KEYS.
APPEND = """
local log, entry, keep, items, size = unpack(ARGV)
local length = redis.call('RPUSH', KEYS[12], entry)
redis.call('INCRBY', HELD, #entry)
make_room('', items, size)
while length > tonumber(keep) or (length > 1 and number_at(HELD) > tonumber(size)) do
  redis.call('DECRBY', HELD, #redis.call('LPOP', KEYS[12]))
  length = length - 1
end
redis.call('ZADD', LOGS, 0, log)
return redis.call('HINCRBY', COUNT, log, 1)
"""

#: Returns the number of the last entry and the entries, oldest first; or nothing.
ENTRIES = """
local log, before, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local count = tonumber(redis.call('HGET', COUNT, log) or 0)
local gone = count - redis.call('LLEN', KEYS[12])
local last = before and math.min(before - 1, count) or count
local first = math.max(gone + 1, last - limit + 1)
if first > last then return {} end
return {last, redis.call('LRANGE', KEYS[12], first - gone - 1, last - gone - 1)}
"""

CLEAR = """
local from, to, log = unpack(ARGV)
for _, key in ipairs(redis.call('ZRANGEBYLEX', NAME, from, to)) do remove(key) end
for _, name in ipairs(redis.call('ZRANGEBYLEX', LOGS, from, to)) do
  for _, entry in ipairs(redis.call('LRANGE', log .. name, 0, -1)) do redis.call('DECRBY', HELD, #entry) end
  redis.call('DEL', log .. name)
  redis.call('HDEL', COUNT, name)
  redis.call('ZREM', LOGS, name)
end
"""

#: The complete scripts by name.
SCRIPTS = {
    name: f"local LINES = '{LINES}'\n" + _SHARED + script
    for name, script in {
        "get": GET,
        "put": PUT,
        "lines": READ_LINES,
        "delete": DELETE,
        "items": ITEMS,
        "append": APPEND,
        "entries": ENTRIES,
        "clear": CLEAR,
        "count": COUNT_KEYS,
    }.items()
}
