"""What Redis itself does for the limits that gateways share, in one step each so that gateways that ask at the same moment count one after the other.

`glim:connections:{user}` is a sorted set of the user's connections, `{gateway}/{number}/{device}` by the time they came; `glim:send:{user}` a hash with the tokens `t`
as of `at` (Unix milliseconds of Redis's clock, the only one that counts here). A bucket that is full is not there.
"""

from typing import Final

_LEVEL: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function level(key, rate, burst)
  local row = redis.call('HMGET', key, 't', 'at')
  local tokens, at = tonumber(row[1]) or burst, tonumber(row[2]) or now
  if now > at then tokens = math.min(burst, tokens + (now - at) * rate / 1000) end
  return tokens, not row[1]
end
local function gateways(members)
  local seen, names = {}, {}
  for _, member in ipairs(members) do
    local name = string.match(member, '^[^/]*')
    if not seen[name] then seen[name] = true; names[#names + 1] = name end
  end
  return table.concat(names, ' ')
end
"""

REPORT: Final = (
    _LEVEL
    + """
local rate, burst, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local out = {}
for i = 1, #KEYS, 2 do
  local word = (i - 1) / 2 * 3 + 4
  local tokens, unknown = level(KEYS[i], rate, burst)
  if unknown or ARGV[word + 2] == '1' then tokens = math.min(tokens, tonumber(ARGV[word + 1])) end
  tokens = math.max(-burst, tokens - tonumber(ARGV[word]))
  redis.call('HSET', KEYS[i], 't', tostring(tokens), 'at', now)
  redis.call('PEXPIRE', KEYS[i], keep)
  out[#out + 1] = tostring(tokens)
  out[#out + 1] = gateways(redis.call('ZRANGE', KEYS[i + 1], 0, -1))
end
return out
"""
)
"""KEYS: bucket and connections, per user. ARGV: rate, burst, milliseconds to keep a bucket; then, per user, the cost, the level before it as the gateway sees it,
and whether Redis's own may be wrong (1). Answers level and gateways per user.

What was spent too much is owed, but never more than one burst of it: a fault of ours shuts nobody out for long.
"""

ENTER: Final = (
    _LEVEL
    + """
local mine, came, device = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fresh, keep = tonumber(ARGV[10]), ARGV[11]
local alive = {}
for i = 12, #ARGV do alive[ARGV[i]] = true end
local rows = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local held = {}
for i = 1, #rows, 2 do
  local member, at = rows[i], tonumber(rows[i + 1])
  if member == mine then
    came = at
  elseif alive[string.match(member, '^[^/]*')] or now - at < fresh then
    held[#held + 1] = {member, at}
  else
    redis.call('ZREM', KEYS[1], member)
  end
end
if came == 0 then
  came = now
  if #held > 0 then came = math.max(now, held[#held][2] + 1) end
end
held[#held + 1] = {mine, came}
table.sort(held, function(a, b) return a[2] < b[2] end)
redis.call('ZADD', KEYS[1], came, mine)
redis.call('PEXPIRE', KEYS[1], keep)
local function evict(max, dry, of_device)
  local count, gone = 0, {}
  for _, row in ipairs(held) do
    if not row.gone and (not of_device or string.match(row[1], '^[^/]*/[^/]*/(.*)$') == of_device) then count = count + 1 end
  end
  for _, row in ipairs(held) do
    if count <= max then break end
    if not row.gone and (not of_device or string.match(row[1], '^[^/]*/[^/]*/(.*)$') == of_device) then
      count = count - 1
      gone[#gone + 1] = row[1]
      if dry == '0' then row.gone = true; redis.call('ZREM', KEYS[1], row[1]) end
    end
  end
  return gone
end
local of_device = evict(tonumber(ARGV[6]), ARGV[7], device)
local of_user = evict(tonumber(ARGV[4]), ARGV[5], nil)
local names = {}
for _, row in ipairs(held) do if not row.gone then names[#names + 1] = row[1] end end
return {tostring(came), tostring((level(KEYS[2], tonumber(ARGV[8]), tonumber(ARGV[9])))), gateways(names), of_device, of_user}
"""
)
"""KEYS: connections, bucket. ARGV: this connection, when it came (0: now), its device; connections per user and whether that is on trial (1) or not (0), the same
per device; rate and burst; milliseconds for which a connection of an unknown gateway counts; milliseconds to keep the set; the living gateways.

Answers when it came, the level, the gateways, and those that have to go: of the device, of the user. A repeat for a connection that is there already changes nothing.
"""
