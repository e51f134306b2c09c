// All API calls of a webhook's life over one API server in memory: it leads, starts, reviews, issues certificates, and renews its
// CA.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { apply_patch } from 'jsonpatch'
import { Registry } from 'prom-client'
import * as v from 'valibot'
import { LookUps } from '../../webhook/admission/look-ups/look-ups.ts'
import { publishedFrom } from '../../webhook/authority/published-object.ts'
import { RETIREMENT_MS, SETTLE_MS } from '../../webhook/authority/rotation.ts'
import { type Config, readConfig } from '../../webhook/config.ts'
import { EventRecorder } from '../../webhook/events/event-recorder.ts'
import { namesOfSidecar } from '../../webhook/identities/entitlement.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import { COMPLETION_INDEX } from '../../webhook/objects/pod.ts'
import { Leadership } from '../../webhook/reconcile/leadership.ts'
import { Reconcile } from '../../webhook/reconcile/reconcile.ts'
import { startWebhook, type Webhook } from '../../webhook/webhook.ts'
import { createRequest, dns } from '../support/certificate-requests.ts'
import { createAuthority } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import { accepted, job, miniCluster, requestHeader, reviewer } from '../support/lead-broker.ts'
import { objectsBelow } from '../support/manifests.ts'
import { type Call, MemoryCluster } from '../support/memory-cluster.ts'
import { memoryLog } from '../support/memory-log.ts'
import { Clock, renew, replica, SECRET } from './authority/replicas.ts'
import { ENABLED, leadPod, miniClusterReview, podReview } from './support-objects.ts'

/** A user's MiniCluster. */
interface User {
  readonly namespace: string
  readonly name: string
}

/** Two users, so that no name and no namespace is the only one. */
export const USERS: readonly User[] = [
  { namespace: 'hpc', name: 'lammps' },
  { namespace: 'default', name: 'flux-sample' },
]

const frontProxy = await createAuthority('front-proxy-ca')

/** The objects in manifests/ that hold the CA bundle. */
const HOLDERS = [...objectsBelow('base'), ...objectsBelow('overlays')].filter((object) =>
  publishedFrom('flux-metrics').some(({ kind }) => kind === object.kind),
)

function controlledBy(apiVersion: string, kind: string, { name }: User) {
  return [{ apiVersion, kind, name, uid: `uid of ${kind} ${name}`, controller: true }]
}

function miniClusterOf({ name, namespace }: User, annotations: Readonly<Record<string, string>>) {
  return miniCluster({ name, namespace, uid: `uid of MiniCluster ${name}`, annotations })
}

function jobOf(user: User): NewObject {
  const ownerReferences = controlledBy('flux-framework.org/v1alpha2', 'MiniCluster', user)
  return job({ ...user, uid: `uid of Job ${user.name}`, ownerReferences })
}

/** The lead broker's pod as the Job controller creates it. */
function podOf(user: User): NewObject {
  const annotations = { [COMPLETION_INDEX]: '0' }
  const ownerReferences = controlledBy('batch/v1', 'Job', user)
  const { namespace } = user
  const metadata = { generateName: `${user.name}-0-`, namespace, annotations, ownerReferences }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: leadPod().spec }
}

/** Name and UID of the stored pod, which the API server chooses. */
function storedAs({ name }: User) {
  return { name: `${name}-0-x7k2p`, uid: `uid of Pod ${name}` }
}

function tokenOf({ name }: User): string {
  return `token.of.${name}`
}

/**
 * All calls of a webhook's life.
 *
 * @param tls files of its certificate; without them it is its own authority
 */
export async function callsOf(t: TestContext, tls?: Config['tls']): Promise<readonly Call[]> {
  const secret = tls === undefined ? {} : { 'flux-metrics/tls-secret': 'serving' }
  const annotations = { ...ENABLED, ...secret }
  const cluster = new MemoryCluster([
    ...HOLDERS,
    requestHeader(frontProxy.cert),
    ...USERS.flatMap((user) => [miniClusterOf(user, annotations), jobOf(user)]),
  ])
  cluster.review = reviewer(
    Object.fromEntries(
      USERS.map((user) => [
        tokenOf(user),
        accepted(storedAs(user), `system:serviceaccount:${user.namespace}:default`),
      ]),
    ),
  )
  await lead(cluster)
  const webhook = await start(t, { cluster, tls })
  for (const user of USERS) {
    await inject(cluster, webhook, user)
    // The Events of the second time are those of the first, counted up.
    await inject(cluster, webhook, user)
    await identify(webhook, user)
    const minicluster = miniClusterOf(user, annotations)
    await post(webhook, '/mutate', miniClusterReview(minicluster, miniClusterOf(user, {})))
  }
  if (tls === undefined) await keepCertificates(cluster)
  return cluster.calls
}

/** A replica leads for a while, looks for lead brokers without sidecar, and gives the Lease back. */
async function lead(cluster: MemoryCluster): Promise<void> {
  const { log } = memoryLog('silent')
  const options = { cluster, namespace: 'flux-metrics', log }
  const leadership = new Leadership({ ...options, identity: 'one' })
  await leadership.tick()
  await leadership.tick()
  const reconcile = new Reconcile({
    ...options,
    leadership,
    lookUps: new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 36 }) }),
    events: new EventRecorder({ cluster, log }),
    sidecar: () => assert.fail('there is no pod'),
    topology: () => undefined,
    registry: new Registry(),
    pace: { firstMs: 0 },
  })
  await reconcile.tick()
  await leadership.close()
}

type Ports = Pick<Webhook, 'port' | 'certificatesPort'>

/** Starts a webhook. Without `tls` it is its own authority. */
export async function start(
  t: TestContext,
  { cluster, tls }: { readonly cluster: MemoryCluster; readonly tls?: Config['tls'] },
): Promise<Ports> {
  const read = readConfig({
    SIDECAR_IMAGE: 'sidecar:1',
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    CERTIFICATES_PORT: '0',
    HEALTH_PORT: '0',
    KUBERNETES_SERVICE_HOST: '192.0.2.1',
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log } = memoryLog('silent')
  const readVersion = async () => ({ major: 1, minor: 36 })
  const options = { cluster, readVersion, version: '1.2.3', log }
  const webhook = await startWebhook({ ...read.config, tls }, options)
  t.after(() => webhook.close({ lingerMs: 0 }))
  return webhook
}

async function post(webhook: Ports, path: string, body: unknown, token = ''): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const port = path === '/certificates' ? webhook.certificatesPort : webhook.port
  const { text } = await ask(port, path, { method: 'POST', headers, body: JSON.stringify(body) })
  return JSON.parse(text)
}

const AnswerSchema = v.object({ response: v.object({ patch: v.string() }) })

async function inject(cluster: MemoryCluster, webhook: Ports, user: User): Promise<void> {
  const pod = podOf(user)
  const review = podReview(pod, { namespace: user.namespace })
  const { patch } = v.parse(AnswerSchema, await post(webhook, '/mutate', review)).response
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'))
  const injected = apply_patch<NewObject>(pod, operations)
  cluster.put({ ...injected, metadata: { ...injected.metadata, ...storedAs(user) } })
}

/** The pod's sidecar requests a certificate. Without an authority it is refused, but only after all look-ups. */
async function identify(webhook: Ports, user: User): Promise<void> {
  const { namespace, name: minicluster } = user
  const csr = await createRequest({ names: dns(...namesOfSidecar({ namespace, minicluster })) })
  await post(webhook, '/certificates', { csr }, tokenOf(user))
}

/** Publishes and repairs the CA bundle, restores the Secret, renews the CA and drops the old one. */
async function keepCertificates(cluster: MemoryCluster): Promise<void> {
  const clock = new Clock()
  const { authority, messages } = replica(cluster, clock)
  await authority.tick()
  for (const holder of HOLDERS) cluster.put(holder)
  await authority.tick()
  cluster.remove(SECRET)
  await authority.tick()
  renew(cluster, 'now')
  for (const ms of [0, 0, SETTLE_MS, RETIREMENT_MS]) {
    clock.ms += ms
    await authority.tick()
  }
  const said = messages().join('\n')
  for (const step of [
    'restored the CA bundle',
    'restored the Secret',
    'created the next',
    'switched',
    'removed the previous',
  ]) {
    assert.ok(said.includes(step), step)
  }
}
