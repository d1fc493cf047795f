-- Sends the requests of a file in turn. It holds whole HTTP requests, separated by the byte 0; eight # in one of
-- them, wherever they stand, become a number that never repeats. Called as: wrk ... -s wrk.lua URL -- FILE FIRST_NUMBER

local requests, position, number = {}, 0, 0

function init(args)
  for raw in io.open(args[1], "rb"):read("*a"):gmatch("%Z+") do
    requests[#requests + 1] = raw
  end
  number = tonumber(args[2])
end

function request()
  position = position % #requests + 1
  local raw = requests[position]
  if raw:find("########", 1, true) then
    number = number + 1
    raw = raw:gsub("########", string.format("%08d", number))
  end
  return raw
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
