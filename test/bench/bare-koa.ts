// The baseline of the sidecar: koa and koa-router with our routes. It sends the same ready-made bytes, without any checks.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import Koa from 'koa'
import Router from 'koa-router'

const body = readFileSync(process.env.BODY_FILE ?? '')
const router = new Router()
const answer: Koa.Middleware = (ctx) => {
  ctx.type = 'application/json'
  ctx.body = body
}
for (const path of [
  '/livez',
  '/readyz',
  '/healthz',
  '/version',
  '/metrics',
  '/apis',
  '/apis/custom.metrics.k8s.io',
]) {
  router.get(path, answer)
}
const VERSION = '/apis/custom.metrics.k8s.io/:version'
router.get(VERSION, answer)
router.get(`${VERSION}/namespaces/:namespace/metrics/:metric`, answer)
router.get(`${VERSION}/namespaces/:namespace/:resource/:name/:metric`, answer)

const app = new Koa()
app.use(router.routes())
const server = createServer(
  {
    cert: readFileSync(process.env.TLS_CERT_FILE ?? ''),
    key: readFileSync(process.env.TLS_KEY_FILE ?? ''),
    ALPNProtocols: ['http/1.1'],
  },
  app.callback(),
)
server.listen(Number(process.env.LISTEN_PORT))
