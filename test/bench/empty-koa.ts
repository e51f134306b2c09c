// The baseline of start-up: the smallest possible koa app, over TLS.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import Koa from 'koa'

const app = new Koa()
app.use((ctx) => {
  ctx.body = '{}'
})
const server = createServer(
  {
    cert: readFileSync(process.env.TLS_CERT_FILE ?? ''),
    key: readFileSync(process.env.TLS_KEY_FILE ?? ''),
  },
  app.callback(),
)
server.listen(Number(process.env.LISTEN_PORT))
