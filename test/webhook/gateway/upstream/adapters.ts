// An adapter as a real HTTPS server, and a gateway in front of it that passes everything on.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, LookupFunction, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import Koa from 'koa'
import { failures, logUnsent } from '#serving/failure.ts'
import { createLogger, type Logger } from '#serving/log.ts'
import { Adapter, type AdapterOptions } from '../../../../webhook/gateway/upstream/adapter.ts'
import { type Authority, createAuthority, type KeyPair } from '../../../support/certificates.ts'
import { ask } from '../../../support/https.ts'

export const CUSTOM = 'custom.metrics.k8s.io'
export const VERSIONS = ['v1beta2', 'v1beta1']
export const NAME = 'adapter.monitoring.svc'

export const authority = await createAuthority('adapters')
const pair = await authority.issue({ commonName: 'adapter', dns: [NAME] })

export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly rawHeaders: readonly string[]
}

/** Answers discovery with lists of nothing, OpenAPI with 404, and other requests with `handler`. */
export interface AdapterServerOptions {
  readonly handler?: RequestListener
  /** By version; `undefined`: 404. Default: all versions, without resources. */
  readonly discovery?: (version: string) => string | undefined
  /** By path. */
  readonly openapi?: ReadonlyMap<string, string>
  readonly keys?: KeyPair
  readonly port?: number
}

export const emptyList = () => JSON.stringify({ kind: 'APIResourceList', resources: [] })

/** An empty object. */
export const sayOk: RequestListener = (_request, response) =>
  response.setHeader('Content-Type', 'application/json').end('{}')

export async function startAdapter(t: TestContext, options: AdapterServerOptions = {}) {
  const { handler = sayOk, discovery = emptyList, openapi, keys = pair, port = 0 } = options
  /** Requests for metrics, and those for discovery. */
  const received: Received[] = []
  const discovered: Received[] = []
  const server = createServer(keys, (request, response) => {
    const { method, url, rawHeaders } = request
    if (url?.startsWith('/openapi/') === true) {
      const text = openapi?.get(url)
      response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
      response.end(text)
      return
    }
    const [, version] = /^\/apis\/[^/]+\/([^/?]+)$/.exec(url ?? '') ?? []
    if (version === undefined) {
      received.push({ method, url, rawHeaders })
      handler(request, response)
      return
    }
    discovered.push({ method, url, rawHeaders })
    const text = discovery(version)
    response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
    response.end(text)
  })
  server.on('tlsClientError', () => {})
  await listen(server, port)
  const stop = async () => {
    server.closeAllConnections()
    if (server.listening) await promiseOf((done) => server.close(done))
  }
  t.after(stop)
  return { port: portOf(server), received, discovered, server, stop }
}

export const toLocal: LookupFunction = (_name, { all = false }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

export interface GatewayOptions extends Partial<AdapterOptions> {
  /** Of the adapter. */
  readonly port: number
  readonly ca?: string | undefined
  readonly trusted?: Authority
  readonly log?: Logger
  readonly isStarted?: boolean
}

/** A gateway that has one adapter, and passes each request on. Stops with the test. */
export async function startGateway(t: TestContext, options: GatewayOptions) {
  const { port, log = createLogger('silent'), trusted = authority, isStarted = true } = options
  const folder = await mkdtemp(join(tmpdir(), 'upstream-'))
  t.after(() => rm(folder, { recursive: true }))
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')]
  await writeFile(caFile, trusted.cert)
  await writeFile(tokenFile, 'first-token\n')
  const adapter = new Adapter({
    group: CUSTOM,
    versions: VERSIONS,
    target: { namespace: 'monitoring', service: 'adapter', port, caFile },
    tokenFile,
    log,
    lookup: toLocal,
    ...options,
  })
  t.after(() => adapter.close())
  if (isStarted) await adapter.start()
  const app = new Koa()
  logUnsent(app, log)
  app.use(failures(log))
  app.use((ctx) => adapter.forward(ctx))
  const server = createPlainServer(app.callback())
  await listen(server, 0)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const own = portOf(server)
  return {
    adapter,
    caFile,
    tokenFile,
    port: own,
    get: (path: string, headers: Record<string, string> = {}) =>
      ask(own, path, { plain: true, headers }),
  }
}

export function headerOf({ rawHeaders }: Received, name: string): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  )
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function promiseOf(start: (done: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  start(resolve)
  return promise
}

/** Checks until it passes. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  const end = performance.now() + 15_000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await pause(20)
    }
  }
}
