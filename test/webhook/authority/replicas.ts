// Replicas of the webhook's authority with one API server in memory, and clients that verify as real ones do.
import { fail } from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { SelfAuthority } from '../../../webhook/authority/authority.ts'
import {
  type Cluster,
  ClusterError,
  type ClusterObject,
  type NewObject,
  type ObjectReference,
} from '../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../support/memory-cluster.ts'
import { memoryLog } from '../../support/memory-log.ts'

export const SERVER_NAME = 'flux-metrics-webhook.flux-metrics.svc'

export const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  name: 'flux-metrics-ca',
  namespace: 'flux-metrics',
} as const

export const WEBHOOKS = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'flux-metrics-webhook',
} as const

export const CUSTOM_METRICS = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: 'v1beta2.custom.metrics.k8s.io',
} as const

const LABELS = { 'flux-metrics/ca-bundle': 'true' }

/** The objects of the manifests, before anything is published. */
export function webhookConfiguration(clientConfig: object = {}): NewObject {
  const { apiVersion, kind, name } = WEBHOOKS
  const service = { name: 'flux-metrics-webhook', namespace: 'flux-metrics', path: '/mutate' }
  const webhook = {
    name: 'pods.flux-metrics.example',
    clientConfig: { service, ...clientConfig },
    sideEffects: 'NoneOnDryRun',
    admissionReviewVersions: ['v1'],
  }
  return { apiVersion, kind, metadata: { name, labels: LABELS }, webhooks: [webhook] }
}

export function apiService(
  fields: object = {},
  labels: Readonly<Record<string, string>> = LABELS,
): NewObject {
  const { apiVersion, kind, name } = CUSTOM_METRICS
  const service = { name: 'custom-metrics-apiserver', namespace: 'jobs', port: 443 }
  const spec = { group: 'custom.metrics.k8s.io', version: 'v1beta2', service, ...fields }
  return { apiVersion, kind, metadata: { name, labels }, spec }
}

const HOLDERS = v.object({
  webhooks: v.optional(
    v.array(v.object({ clientConfig: v.object({ caBundle: v.optional(v.string()) }) })),
    [],
  ),
  spec: v.optional(v.object({ caBundle: v.optional(v.string()) })),
})

/** The bundle (PEM) in an object; empty if there is none. */
export function bundleIn(cluster: MemoryCluster, reference: ObjectReference): string {
  const { webhooks, spec } = v.parse(HOLDERS, cluster.peek(reference))
  const bundle = webhooks[0]?.clientConfig.caBundle ?? spec?.caBundle ?? ''
  return Buffer.from(bundle, 'base64').toString('utf8')
}

/** The certificates of a bundle. */
export function split(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((pem) => new X509Certificate(pem))
}

/** Whether a client that trusts only this bundle accepts the leaf of a server with this name. */
export function accepts(
  bundle: string,
  leaf: string,
  { name = SERVER_NAME, at }: { readonly name?: string; readonly at: number },
): boolean {
  const certificate = new X509Certificate(leaf)
  const valid = ({ validFromDate, validToDate }: X509Certificate) =>
    validFromDate.getTime() <= at && at < validToDate.getTime()
  return (
    valid(certificate) &&
    certificate.checkHost(name) !== undefined &&
    split(bundle).some(
      (ca) => valid(ca) && certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    )
  )
}

/**
 * Whether a client that trusts only the CA `from` is led to the CA `to` by the certificates that a server shows. Expired ones
 * do not count, and neither does an expired `from`: its certificates expire with it.
 */
export function leadsTo(
  to: string,
  { from, chain }: { readonly from: string; readonly chain: string },
): boolean {
  const known = [new X509Certificate(from)]
  // The server shows the newest first.
  for (const cross of split(chain).toReversed()) {
    const isIssued = known.some((ca) => cross.checkIssued(ca) && cross.verify(ca.publicKey))
    if (cross.ca && isIssued) known.push(cross)
  }
  const { publicKey } = new X509Certificate(to)
  return known.some((ca) => ca.publicKey.equals(publicKey))
}

/** A Secret's data, decoded. */
export function secretData(cluster: MemoryCluster): Record<string, string> {
  const schema = v.object({ data: v.record(v.string(), v.string()) })
  const { data } = v.parse(schema, cluster.peek(SECRET))
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]),
  )
}

/** Replaces an object by one with other fields or metadata. */
export function change(
  cluster: MemoryCluster,
  reference: ObjectReference,
  edit: (object: NewObject) => NewObject,
): ClusterObject {
  const { apiVersion, kind } = reference
  const stored = cluster.peek(reference)
  return cluster.put(edit({ ...stored, apiVersion, kind, metadata: stored?.metadata ?? {} }))
}

export const AWAY = new ClusterError(0, 'Cannot reach the API server: connection refused')

/** An API server that carries out the n-th write (1 is the first) but does not answer it. */
export function losingAnswer(cluster: Cluster, n: number): Cluster {
  let writes = 0
  const lose = <A>(answer: A): A => {
    writes += 1
    if (writes === n) throw AWAY
    return answer
  }
  return {
    read: (reference) => cluster.read(reference),
    list: (collection, options) => cluster.list(collection, options),
    create: async (object) => lose(await cluster.create(object)),
    replace: async (object) => lose(await cluster.replace(object)),
    apply: async (object) => lose(await cluster.apply(object)),
  }
}

/** A clock that only tests move. */
export class Clock {
  ms = Date.now()
  readonly now = () => this.ms
}

/** One replica, whose `tick` the tests call. */
export function replica(cluster: Cluster, clock: Clock) {
  const { log, lines } = memoryLog()
  const authority = new SelfAuthority({
    cluster,
    namespace: 'flux-metrics',
    service: 'flux-metrics-webhook',
    log,
    now: clock.now,
  })
  return { authority, lines, messages: () => lines.map(({ msg }) => msg) }
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

/** An API server with the objects of the project, a clock, and replicas. */
export function setup(objects = [webhookConfiguration(), apiService()]) {
  const cluster = new MemoryCluster(objects)
  const clock = new Clock()
  return { cluster, clock, replica: () => replica(cluster, clock) }
}

/** Asks for a renewal as users do. */
export function renew(cluster: MemoryCluster, wish: string): void {
  change(cluster, SECRET, (object) => {
    const annotations = { ...object.metadata.annotations, 'flux-metrics/renew': wish }
    return { ...object, metadata: { ...object.metadata, annotations } }
  })
}

export function servingLeaf({ authority }: { readonly authority: SelfAuthority }): string {
  return authority.servingKeys?.cert ?? fail('no serving certificate')
}

/** A certificate for `pod.flux-metrics`. */
export async function issue(authority: SelfAuthority): Promise<string> {
  const { publicKey } = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  return authority.issue({ publicKey, names: ['pod.flux-metrics'] })
}
