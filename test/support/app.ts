// Serves the app of the sidecar on plain HTTP, for tests of its answers. TLS and client certificates are tested elsewhere.
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { TestContext } from 'node:test'
import { type AppOptions, createApp } from '#api/app.ts'
import { createTelemetry } from '#api/gauges/telemetry.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { Catalog } from '#metrics/catalog.ts'
import type { Reading, Snapshot } from '#scaling/snapshot.ts'
import { createLogger } from '#serving/log.ts'
import { snapshotOf } from './snapshots.ts'

export const IDENTITY = {
  namespace: 'default',
  minicluster: 'flux-sample',
  serviceName: 'custom-metrics-apiserver',
}

export interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface ServedApp {
  /** Sends the target as it is, without normalization. */
  get(target: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  ask(method: string, target: string): Promise<Answer>
  /** The reading that the app uses from now on. */
  reading: Reading
}

export function fresh(changes: Partial<Snapshot> = {}): Reading {
  return { kind: 'fresh', snapshot: snapshotOf(changes) }
}

export const STALE: Reading = {
  kind: 'stale',
  reason: 'the broker closed the connection',
  since: new Date('2026-11-24T01:02:03.456Z'),
}

/** Serves an app with a fresh snapshot until the test ends. */
export async function serveApp(t: TestContext, changes: Partial<AppOptions> = {}) {
  const served: Pick<ServedApp, 'reading'> = { reading: fresh() }
  const app = createApp({
    source: { reading: () => served.reading },
    lastHour: new LastHour(Date.now()),
    catalog: new Catalog(),
    names: IDENTITY,
    clients: undefined,
    telemetry: createTelemetry(),
    readiness: () => ({ ready: true, message: 'serving' }),
    external: false,
    version: '1.2.3',
    log: createLogger('silent'),
    ...changes,
  })
  const server = createServer(app.callback())
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const ask = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
    send({ port, method, path, headers })
  return Object.assign(served, {
    ask,
    get: (path: string, headers?: Readonly<Record<string, string>>) => ask('GET', path, headers),
  } satisfies Omit<ServedApp, 'reading'>)
}

interface RawRequest {
  readonly port: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

async function send(options: RawRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      resolve({ code: response.statusCode ?? 0, headers: response.headers, text })
    })
  })
  sent.on('error', reject)
  sent.end()
  return await promise
}
