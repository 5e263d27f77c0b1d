-- Sixteen requests at once.
init = function()
  local requests = {}
  for place = 1, 16 do
    requests[place] = wrk.format()
  end
  together = table.concat(requests)
end

request = function()
  return together
end
