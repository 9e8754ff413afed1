-- What wrk sends, and what it says at the end: one line of JSON.
wrk.method = "POST"
wrk.body = '{"request":1}'
wrk.headers["Content-Type"] = "application/json"

function done(summary)
  io.write(string.format('{"requests":%d,"ms":%f}\n', summary.requests, summary.duration / 1000))
end
