// A fake API server with what the webhook asks for: version, the front proxy's CA, one Job and one MiniCluster. It accepts
// Events. All answers are ready-made.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const answers = new Map<string, string>(
  Object.entries<object>(JSON.parse(readFileSync(process.env.ANSWERS_FILE ?? '', 'utf8'))).map(
    ([path, answer]) => [path, JSON.stringify(answer)],
  ),
)

createServer(
  {
    cert: readFileSync(process.env.TLS_CERT_FILE ?? ''),
    key: readFileSync(process.env.TLS_KEY_FILE ?? ''),
  },
  (request, response) => {
    const isWrite = request.method === 'POST'
    const answer = isWrite ? '{}' : answers.get(request.url ?? '')
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.statusCode = answer === undefined ? 404 : isWrite ? 201 : 200
    response.end(answer ?? '{"kind":"Status","apiVersion":"v1","code":404,"message":"not found"}')
  },
).listen(Number(process.env.LISTEN_PORT))
