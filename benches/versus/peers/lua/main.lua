-- LuaJIT's coroutines at the work of the rows.

local function each(count, work)
  local begin = os.clock()
  work()
  return (os.clock() - begin) * 1e9 / count
end

local rows = {}

function rows.trip(count)
  local echo = coroutine.wrap(function()
    local sent = 0
    while true do
      sent = coroutine.yield(sent)
    end
  end)
  echo()
  return each(count, function()
    for value = 1, count do
      assert(echo(value) == value)
    end
  end)
end

function rows.life(count)
  return each(count, function()
    for value = 1, count do
      assert(coroutine.wrap(function() return value end)() == value)
    end
  end)
end

local name, count = arg[1], tonumber(arg[2])
if name == "rows" then
  for row in pairs(rows) do
    print(row)
  end
else
  print(rows[name](count))
end
