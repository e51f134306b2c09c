// The routes of the gateway over HTTP, with peers and sidecars as plain values.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { TestContext } from 'node:test'
import { NO_OPENAPI } from '#api/documents/openapi-parts.ts'
import { Catalog } from '#metrics/catalog.ts'
import { createLogger } from '#serving/log.ts'
import { notFound, unavailable } from '#serving/status.ts'
import { shorten } from '#serving/text.ts'
import type { Question } from '../../../../webhook/gateway/asking/question.ts'
import type { SidecarAnswer } from '../../../../webhook/gateway/asking/sidecar-answer.ts'
import type { MiniClusterName, Peers } from '../../../../webhook/gateway/peers/peer.ts'
import { createApp } from '../../../../webhook/gateway/routing/app.ts'
import type { ShortageSource } from '../../../../webhook/gateway/shortage/shortages.ts'
import type { Upstream } from '../../../../webhook/gateway/upstream/upstream.ts'

export interface ServedOptions {
  /** `namespace/name` */
  readonly miniclusters: readonly string[]
  readonly answer?: (question: Question) => Promise<SidecarAnswer>
  readonly custom?: Upstream
  readonly external?: Upstream
  readonly missing?: string
  /** Why no list of MiniClusters is whole. */
  readonly incomplete?: string
  /** Default: every pod of them is there. */
  readonly shortages?: ShortageSource
}

export const READ_AT = Date.parse('2026-11-29T06:00:00Z')

const NO_SHORTAGE: ShortageSource = {
  of: async () => ({ readAt: READ_AT, size: 4, unavailable: 0, groups: [] }),
}

/** The answer of a sidecar that has the metric. */
export async function metricAnswer({ namespace, minicluster }: Question): Promise<SidecarAnswer> {
  const items = [{ describedObject: { namespace, name: minicluster }, value: '1' }]
  return { contentType: 'application/json', body: JSON.stringify({ items }) }
}

/** Serves the routes, and keeps the questions that sidecars were asked. */
export async function serveRoutes(t: TestContext, options: ServedOptions) {
  const { answer = metricAnswer, custom, external, shortages = NO_SHORTAGE } = options
  const names = options.miniclusters.map(nameOf)
  const questions: Question[] = []
  const app = createApp({
    peers: peersOf(names, options),
    sidecars: {
      ask(question) {
        questions.push(question)
        return answer(question)
      },
    },
    absences: {
      whyAbsent: async ({ namespace, minicluster }) =>
        notFound(`MiniCluster ${shorten(namespace)}/${shorten(minicluster)} is not there`),
    },
    shortages,
    catalog: new Catalog(),
    upstreams: { custom, external },
    clients: { verify: () => ({ kind: 'verified', name: 'front-proxy-client' }) },
    readiness: () => ({ ready: true, message: 'serving' }),
    external: true,
    others: { version: 0, resourcesOf: () => [] },
    otherOpenapi: NO_OPENAPI,
    version: '1.2.3',
    observeRequest: () => {},
    log: createLogger('silent'),
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { code: response.status, headers: response.headers, text: await response.text() }
  }
  /** Sends the target as it is: `fetch` would remove its dots. */
  const ask = async (path: string) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }).end()
    const [response] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { code: Number(response.statusCode), text: Buffer.concat(chunks).toString() }
  }
  return { questions, get, ask }
}

function nameOf(text: string): MiniClusterName {
  const [namespace = '', minicluster = ''] = text.split('/')
  return { namespace, minicluster }
}

function peersOf(
  names: readonly MiniClusterName[],
  { missing, incomplete }: Pick<ServedOptions, 'missing' | 'incomplete'>,
): Peers {
  const isThere = ({ namespace, minicluster }: MiniClusterName) =>
    names.some((one) => one.namespace === namespace && one.minicluster === minicluster)
  return {
    find: (name) =>
      isThere(name) ? { kind: 'unready', pod: 'a', why: 'is a double' } : { kind: 'absent' },
    inNamespace: (namespace) => {
      if (incomplete !== undefined) throw unavailable(incomplete)
      return names.filter((one) => one.namespace === namespace)
    },
    all: () => names,
    missing,
  }
}
