// A gateway with its webhook and the sidecars of MiniClusters, as they are, over TLS. The API server is in memory, the brokers
// are simulated. MiniClusters differ in their number of nodes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readConfig as readSidecarConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { readConfig } from '../../webhook/gateway/config.ts'
import { startGateway } from '../../webhook/gateway/gateway.ts'
import type { MiniClusterName } from '../../webhook/gateway/peers/peer.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { createAuthority, type KeyPair } from '../support/certificates.ts'
import { createTestCluster, TEST_PACE } from '../support/cluster.ts'
import { ask } from '../support/https.ts'
import {
  accepted,
  GATEWAY_POD,
  GATEWAY_USER,
  gatewayPod,
  job,
  miniCluster,
  requestHeader,
  reviewer,
} from '../support/lead-broker.ts'
import { until } from '../support/until.ts'
import { WatchedCluster } from '../support/watched-cluster.ts'
import { secretData } from '../webhook/authority/replicas.ts'
import { SIDECAR, sidecarPod } from '../webhook/gateway/peers/support-pods.ts'
import { endpoints, ROLE } from '../webhook/gateway/publishing/api-services.ts'
import { HOST, namedWebhook } from './named-webhook.ts'

const frontProxy = await createAuthority('front-proxy-ca')

/** The client certificate of API servers. */
export const aggregator = await frontProxy.issue({
  commonName: 'front-proxy-client',
  extendedKeyUsage: ['clientAuth'],
})

/** A MiniCluster to be. */
export interface Member extends MiniClusterName {
  readonly nodes: number
}

/** Where a gateway gets its identity, and the files of those that ask for one. */
interface Surroundings {
  readonly cluster: WatchedCluster
  readonly folder: string
  readonly certificatesPort: number
}

const VERSION = '1.2.3'

export interface Fleet {
  readonly cluster: WatchedCluster
  readonly gateway: { readonly port: number; readonly healthPort: number; close(): Promise<void> }
  /** Asks the gateway as an API server does. */
  get(path: string, options?: { readonly client?: KeyPair | undefined }): Promise<FleetAnswer>
  /** Asks its port of health. */
  health(path: string): Promise<FleetAnswer>
  /** Asks a sidecar without the gateway. */
  direct(name: MiniClusterName, path: string): Promise<FleetAnswer>
  /** Ends a sidecar as a crash of its node does: its pod stays. */
  kill(name: MiniClusterName): Promise<void>
}

type FleetAnswer = Awaited<ReturnType<typeof ask>>

/** Starts all, and waits until the gateway is ready and every sidecar has an identity and has read Flux. */
export async function startFleet(t: TestContext, members: readonly Member[]): Promise<Fleet> {
  const cluster = new WatchedCluster([
    requestHeader(frontProxy.cert),
    gatewayPod(),
    ROLE,
    endpoints(true),
  ])
  cluster.review = reviewer(
    Object.fromEntries([
      [tokenOf('gateway'), accepted(GATEWAY_POD, GATEWAY_USER)],
      ...members.map((member) => {
        const { name = '', uid = '' } = podOf(member, undefined).metadata
        const account = `system:serviceaccount:${member.namespace}:default`
        return [tokenOf(idOf(member)), accepted({ name, uid }, account)] as const
      }),
    ]),
  )
  const { webhook } = await namedWebhook(t, cluster)
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'))
  t.after(() => rm(folder, { recursive: true }))
  const surroundings = { cluster, folder, certificatesPort: webhook.certificatesPort }
  const sidecars = new Map(
    await Promise.all(
      members.map(
        async (member) => [idOf(member), await startMember(t, member, surroundings)] as const,
      ),
    ),
  )
  const gateway = await startTestGateway(t, surroundings)
  const of = (name: MiniClusterName) => sidecars.get(idOf(name)) ?? assert.fail(idOf(name))
  const health = (path: string) => ask(gateway.healthPort, path, { plain: true })
  await becomesReady(health)
  return {
    cluster,
    gateway,
    get: (path, { client } = { client: aggregator }) => ask(gateway.port, path, { client }),
    health,
    direct: (name, path) => ask(of(name).port, path, { client: aggregator }),
    kill: (name) => of(name).close(),
  }
}

async function becomesReady(health: Fleet['health']): Promise<void> {
  let text = ''
  const look = async () => {
    text = (await health('/readyz')).text
  }
  const timer = setInterval(() => void look(), 20)
  try {
    await until(() => text.startsWith('ok'), 'the gateway is ready')
  } finally {
    clearInterval(timer)
  }
}

async function startTestGateway(t: TestContext, surroundings: Surroundings) {
  const read = readConfig({
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    HEALTH_PORT: '0',
    EXTERNAL_METRICS: 'true',
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    ...(await identityOf('gateway', surroundings)),
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log } = awaitedLog()
  const { cluster } = surroundings
  const gateway = await startGateway(read.config, { cluster, version: VERSION, log })
  let isOpen = true
  const close = async () => {
    if (isOpen) await gateway.close({ lingerMs: 0 })
    isOpen = false
  }
  t.after(close)
  return { ...gateway, close }
}

async function startMember(t: TestContext, member: Member, surroundings: Surroundings) {
  const { namespace, minicluster } = member
  const flux = await createTestCluster(t, { maxSize: member.nodes })
  await flux.startBroker()
  const read = readSidecarConfig({
    FLUX_URI: `local://${flux.path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    NAMESPACE: namespace,
    MINICLUSTER: minicluster,
    EXTERNAL_METRICS: 'true',
    ...(await identityOf(idOf(member), surroundings)),
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { cluster } = surroundings
  for (const object of objectsOf(member)) cluster.put(object)
  const { log, logged } = awaitedLog()
  const begun = Promise.all([logged('stale → fresh: read Flux'), logged('obtained a certificate')])
  const sidecar = await startSidecar(read.config, { log, version: VERSION, pace: TEST_PACE })
  let isOpen = true
  const close = async () => {
    if (isOpen) await sidecar.close({ lingerMs: 0 })
    isOpen = false
  }
  t.after(close)
  const { port } = sidecar
  await begun
  cluster.put(podOf(member, port))
  return { port, close }
}

/** The variables that lead a program to its identity. */
async function identityOf(id: string, { cluster, folder, certificatesPort }: Surroundings) {
  const tokenFile = join(folder, id.replace('/', '.'))
  await writeFile(tokenFile, tokenOf(id))
  return {
    IDENTITY_URL: `https://${HOST}:${certificatesPort}`,
    IDENTITY_TOKEN_FILE: tokenFile,
    IDENTITY_CA: secretData(cluster)['current.crt'],
  }
}

function idOf({ namespace, minicluster }: MiniClusterName): string {
  return `${namespace}/${minicluster}`
}

/** In the form of the kubelet's tokens. */
function tokenOf(id: string): string {
  return `header.${Buffer.from(id).toString('base64url')}.signature`
}

/** A MiniCluster, its Job, and the pod of its lead broker, which has no address yet. */
function objectsOf(member: Member): readonly NewObject[] {
  const { namespace, minicluster: name } = member
  const uid = `uid of ${idOf(member)}`
  const owner = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster', name, uid }
  return [
    miniCluster({ namespace, name, uid }),
    job({
      namespace,
      name,
      uid: jobUid(member),
      ownerReferences: [{ ...owner, controller: true }],
    }),
    podOf(member, undefined),
  ]
}

/** @param port of its sidecar; `undefined`: the pod has no address yet */
function podOf(member: Member, port: number | undefined): NewObject {
  const { namespace, minicluster } = member
  const place =
    port === undefined ? {} : { ports: [{ name: 'custom-metrics', containerPort: port }] }
  const { metadata = {}, ...rest } = sidecarPod({
    namespace,
    minicluster,
    job: jobUid(member),
    spec: { initContainers: [{ ...SIDECAR, ...place }] },
    status: port === undefined ? { podIP: null } : { podIP: '127.0.0.1' },
  })
  const uid = `uid of the pod of ${idOf(member)}`
  return { ...rest, apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, uid } }
}

function jobUid(name: MiniClusterName): string {
  return `uid of the Job of ${idOf(name)}`
}
