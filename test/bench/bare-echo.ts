// The baseline of the webhook: node:https with one handler that parses a review and writes it again.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

createServer(
  {
    cert: readFileSync(process.env.TLS_CERT_FILE ?? ''),
    key: readFileSync(process.env.TLS_KEY_FILE ?? ''),
  },
  (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      if (chunks.length === 0) response.end('ok')
      else response.end(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
    })
  },
).listen(Number(process.env.LISTEN_PORT))
