// The sidecars of MiniClusters that each live for one question, on one port: whatever name is asked for, its certificate is issued.
// The name also says how the sidecar behaves. And the certificates that a gateway has one after the other.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { explain } from '#explaining/explanation.ts'
import type { ClientCredentials } from '../../webhook/gateway/connections/connection-pool.ts'
import { createAuthority } from '../support/certificates.ts'
import { snapshotOf } from '../support/snapshots.ts'

const ROTATIONS = 5
const GATEWAY = 'flux-metrics-gateway'

export interface PassingFleet extends AsyncDisposable {
  readonly port: number
  /** File with the credentials of the gateway, a list in JSON. */
  readonly credentialsFile: string
}

const NOW = new Date('2026-11-24T01:02:03.456Z')
const EXPLANATION = JSON.stringify(explain(snapshotOf(), NOW))

/** How each behaves, by the number at the end of its name. */
const BEHAVIOURS = [answer, answer, answer, refuse, breakOff, babble, answer, answer] as const

/** In place of the certificate of one of eight is that of a stranger. */
const STRANGERS = 7

export async function startPassing(folder: string): Promise<PassingFleet> {
  const [authority, stranger] = await Promise.all([
    createAuthority('flux-metrics'),
    createAuthority('x'),
  ])
  const all = await Promise.all(
    Array.from({ length: ROTATIONS }, async (_, index): Promise<ClientCredentials> => {
      const pair = await authority.issue({ commonName: GATEWAY, extendedKeyUsage: ['clientAuth'] })
      const older = await createAuthority(`older ${index}`)
      return { ...pair, ca: `${authority.cert}\n${older.cert}` }
    }),
  )
  const credentialsFile = join(folder, 'credentials.json')
  await writeFile(credentialsFile, JSON.stringify(all))
  const contextOf = async (name: string): Promise<SecureContext> => {
    const by = numberOf(name) % BEHAVIOURS.length === STRANGERS ? stranger : authority
    return createSecureContext(await by.issue({ commonName: 'sidecar', dns: [name] }))
  }
  const server = createServer(
    {
      requestCert: true,
      rejectUnauthorized: false,
      SNICallback: (name, done) => {
        void contextOf(name).then((context) => done(null, context), done)
      },
    },
    (request, response) => {
      const { host = '' } = request.headers
      BEHAVIOURS[numberOf(host) % BEHAVIOURS.length]?.(request, response)
    },
  )
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot find the port')
  return {
    port: address.port,
    credentialsFile,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** `m-17.ns-3.miniclusters.flux-metrics` is number 17. */
function numberOf(name: string): number {
  return Number(/^m-(\d+)\./.exec(name)?.[1] ?? 0)
}

function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  if (url === '/metrics') {
    response.setHeader('content-type', 'text/plain')
    response.end(
      `# TYPE gauge_${numberOf(headers.host ?? '')} gauge\ngauge_${numberOf(headers.host ?? '')} 1\n`,
    )
    return
  }
  if (new URL(url, 'https://sidecar').pathname.endsWith('/explain')) {
    response.setHeader('content-type', 'application/json')
    response.end(EXPLANATION)
    return
  }
  const [name, namespace] = (headers.host ?? '').split('.')
  const metric = url.split('?')[0]?.split('/').at(-1)
  const describedObject = { kind: 'MiniCluster', namespace, name }
  const item = url.includes('external')
    ? { metricName: metric, metricLabels: { minicluster: name } }
    : { describedObject, metric: { name: metric } }
  const kind = url.includes('external') ? 'ExternalMetricValueList' : 'MetricValueList'
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ kind, items: [{ ...item, value: '4' }] }))
}

function refuse({ url }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', reason: 'NotFound', message: `no ${url}` }))
}

function breakOff({ socket }: IncomingMessage): void {
  socket.destroy()
}

/** An answer in crumbs. */
function babble({ socket }: IncomingMessage): void {
  socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(500)}`)
}
