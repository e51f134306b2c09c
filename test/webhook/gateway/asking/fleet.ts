// Sidecars of a test: TLS servers with certificates of their own, and the pods that lead to them.

import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { sidecarName } from '#serving/certificates/certificate-names.ts'
import type { AnswerBudget } from '../../../../webhook/gateway/asking/answer-budget.ts'
import { Asking } from '../../../../webhook/gateway/asking/asking.ts'
import type { TurnLimits } from '../../../../webhook/gateway/asking/fair-turns.ts'
import type { AskOutcome } from '../../../../webhook/gateway/asking/observer.ts'
import type { ConnectionLimit } from '../../../../webhook/gateway/connections/connection-limit.ts'
import type {
  MiniClusterName,
  Peer,
  PeerLookup,
  Peers,
} from '../../../../webhook/gateway/peers/peer.ts'
import { createAuthority, type KeyPair } from '../../../support/certificates.ts'
import { memoryLog } from '../../../support/memory-log.ts'

export const CA = await createAuthority('flux-metrics CA')

export const NAME: MiniClusterName = { namespace: 'team-a', minicluster: 'flux-sample' }

/** The certificate of the gateway. */
export const GATEWAY = await CA.issue({
  commonName: 'flux-metrics-gateway',
  dns: ['flux-metrics-gateway.flux-metrics.svc'],
  extendedKeyUsage: ['serverAuth', 'clientAuth'],
})

/** The certificate of a sidecar. */
export function certify(name: MiniClusterName, ca = CA): Promise<KeyPair> {
  return ca.issue({ commonName: 'sidecar', dns: [sidecarName(name)] })
}

/** The path of the metric of a MiniCluster. */
export function pathOf({ namespace, minicluster }: MiniClusterName, metric = 'nodes'): string {
  const group = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}`
  return `${group}/miniclusters.flux-framework.org/${minicluster}/${metric}`
}

/** The answer of a sidecar to that path. */
export function bodyFor({ namespace, minicluster }: MiniClusterName, value = '4'): string {
  return JSON.stringify({
    kind: 'MetricValueList',
    apiVersion: 'custom.metrics.k8s.io/v1beta2',
    metadata: {},
    items: [
      {
        describedObject: {
          kind: 'MiniCluster',
          namespace,
          name: minicluster,
          apiVersion: 'flux-framework.org/v1alpha2',
        },
        metric: { name: 'nodes' },
        timestamp: '2026-11-29T06:00:00Z',
        value,
      },
    ],
  })
}

/** Answers every request with a value. */
export function answering(name: MiniClusterName, value?: string): RequestListener {
  return (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(bodyFor(name, value))
  }
}

/** A server that a pod leads to. */
export interface TestSidecar {
  readonly server: Server
  readonly port: number
  readonly requests: readonly IncomingMessage[]
  readonly connections: ReadonlySet<Socket>
  /** Bytes of requests that arrived, without those of the handshakes. */
  readonly received: () => number
}

/** Starts a server. It asks for a client certificate as a sidecar does, and accepts any client. */
export async function serve(
  t: TestContext,
  keys: KeyPair,
  handler: RequestListener,
): Promise<TestSidecar> {
  const requests: IncomingMessage[] = []
  const connections = new Set<Socket>()
  let received = 0
  const server = createServer(
    {
      ...keys,
      requestCert: true,
      rejectUnauthorized: false,
      ca: CA.cert,
      keepAliveTimeout: 100_000,
    },
    (request, response) => {
      requests.push(request)
      handler(request, response)
    },
  )
  server.on('secureConnection', (socket) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
  })
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return { server, port: portOf(server), requests, connections, received: () => received }
}

/** The pod in front of a server. */
export function podOf(name: MiniClusterName, port: number, changes: Partial<Peer> = {}): Peer {
  const pod = `${name.minicluster}-0-x`
  const uid = `uid of ${pod} at ${port}`
  return {
    ...name,
    pod,
    uid,
    job: 'uid of the Job',
    address: '127.0.0.1',
    port,
    createdAt: 0,
    version: '0.1.0',
    ...changes,
  }
}

/** Pods that a test may change. */
export class TestPeers implements Peers {
  readonly pods: Peer[] = []
  missing: string | undefined
  unready: { pod: string; why: string } | undefined

  find({ namespace, minicluster }: MiniClusterName): PeerLookup {
    if (this.unready !== undefined) return { kind: 'unready', ...this.unready }
    const peers = this.pods
      .filter((pod) => pod.namespace === namespace && pod.minicluster === minicluster)
      .sort((one, other) => other.createdAt - one.createdAt)
    return peers.length === 0 ? { kind: 'absent' } : { kind: 'found', peers }
  }

  inNamespace(namespace: string): readonly MiniClusterName[] {
    return this.pods.filter((pod) => pod.namespace === namespace)
  }

  all(): readonly MiniClusterName[] {
    return this.pods
  }
}

export interface SetupOptions {
  readonly pods?: readonly Peer[]
  readonly limits?: TurnLimits
  readonly random?: () => number
  readonly connections?: ConnectionLimit
  readonly budget?: AnswerBudget
}

/** What is asked. */
interface Wish {
  readonly path?: string
  readonly accept?: string
  readonly user?: string
  readonly waitMs?: number
}

/** An asking gateway. */
export function setup(t: TestContext, { pods = [], ...options }: SetupOptions = {}) {
  const peers = new TestPeers()
  peers.pods.push(...pods)
  const { log, lines } = memoryLog()
  const outcomes: (readonly [AskOutcome, boolean])[] = []
  const asking = new Asking({
    peers,
    credentials: { ...GATEWAY, ca: CA.cert },
    version: '0.2.0',
    observer: { asked: (outcome, { shared }) => outcomes.push([outcome, shared]) },
    log,
    ...options,
  })
  t.after(() => asking.close())
  return {
    asking,
    peers,
    lines,
    outcomes,
    /** Asks for the metric of a MiniCluster. */
    ask: (name = NAME, { path = pathOf(name), accept = '*/*', waitMs = 2_000, user }: Wish = {}) =>
      asking.ask({
        ...name,
        path,
        accept,
        deadline: performance.now() + waitMs,
        ...(user === undefined ? {} : { user }),
      }),
  }
}

/** The code and the message of the error of a question. */
export async function errorOf(answer: Promise<unknown>): Promise<readonly [number, string]> {
  try {
    await answer
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [Number(error.code), error.message]
    throw error
  }
  throw new Error('there is an answer')
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
