-- Counts one for KEYS[1]: 0, or the microseconds until there is room, which costs nothing.
-- ARGV: what one costs, what may be spent at once, both in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local pace, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or now)
-- A value that is no number is not ours. One too far ahead is of a clock that was put back, or of a rate
-- that was higher; left alone it would refuse for longer than a burst lasts.
if not due or due ~= due then due = now end
due = math.max(now, math.min(due, now + burst))
local over = due + pace - burst - now
if over > 0 then return over end
redis.call('SET', KEYS[1], string.format('%.0f', due + pace), 'PX', math.ceil((due + pace - now) / 1000))
return 0
