// The baseline of koa: node:https with one handler that sends the same bytes for every request.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const body = readFileSync(process.env.BODY_FILE ?? '')
const server = createServer(
  {
    cert: readFileSync(process.env.TLS_CERT_FILE ?? ''),
    key: readFileSync(process.env.TLS_KEY_FILE ?? ''),
  },
  (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-length', body.length)
    response.end(body)
  },
)
server.listen(Number(process.env.LISTEN_PORT))
