-- Requests for wrk, each with a body of its own, and one line of JSON with the result.
-- Arguments: the kind of request; for sessions, a file with an id on each line.

local threads, number, sessions = 0, 0, {}

function setup(thread)
  threads = threads + 1
  thread:set("place", threads)
end

local content = {
  chat = function() return string.format('"What does order number %d.%d cost?"', place, number) end,
  invalid = function() return string.format("%d", number) end,
}
content.session = content.chat

function init(arguments)
  kind = arguments[1]
  if arguments[2] then
    for id in io.lines(arguments[2]) do sessions[#sessions + 1] = id end
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer a-token-of-this-client"
end

function request()
  number = number + 1
  local body = '{"messages":[{"role":"user","content":' .. content[kind]() .. "}]"
  if #sessions > 0 then
    body = body .. ',"store_in_session":"' .. sessions[number % #sessions + 1] .. '"'
  end
  return wrk.format(nil, nil, nil, body .. "}")
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%.1f,"p99":%.1f}\n',
    summary.requests, summary.duration, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout, latency:percentile(50), latency:percentile(99)))
end
