// A whole webhook over an API server in memory, on free ports of this machine, and what its clients send.
import type { Agent } from 'node:https'
import type { TestContext } from 'node:test'
import type { Config } from '../../webhook/config.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import type { ReconcilePace } from '../../webhook/reconcile/reconcile.ts'
import { startWebhook, type Webhook } from '../../webhook/webhook.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { createAuthority, type KeyPair } from '../support/certificates.ts'
import { type Answer, ask } from '../support/https.ts'
import { job, leadBroker, miniCluster, requestHeader, reviewer } from '../support/lead-broker.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'

export const frontProxy = await createAuthority('front-proxy-ca')

/** The pod as the Job controller creates it, before admission. */
export const POD = leadBroker(
  { annotations: { 'batch.kubernetes.io/job-completion-index': '0' } },
  {
    initContainers: [],
    containers: [{ name: 'lammps', volumeMounts: [{ name: 'flux-view', mountPath: '/mnt/flux' }] }],
    volumes: [{ name: 'flux-view', emptyDir: {} }],
  },
)

export const CONFIG: Config = {
  sidecarImage: 'sidecar:1',
  sidecarImagePullPolicy: undefined,
  listen: { address: '127.0.0.1', port: 0 },
  certificatesPort: 0,
  healthPort: 0,
  clients: undefined,
  namespace: 'flux-metrics',
  service: 'flux-metrics-webhook',
  tls: undefined,
  kubeconfig: undefined,
  logLevel: 'info',
}

/** A webhook over an API server in memory. */
export async function start(
  t: TestContext,
  config: Partial<Config> = {},
  objects: readonly NewObject[] = [
    requestHeader(frontProxy.cert),
    miniCluster(),
    job(),
    leadBroker(),
  ],
  reconcilePace: Partial<ReconcilePace> = {},
) {
  const cluster = new MemoryCluster(objects)
  cluster.review = reviewer()
  const { log, lines, logged } = awaitedLog()
  const webhook = await startWebhook(
    { ...CONFIG, ...config },
    {
      cluster,
      readVersion: async () => ({ major: 1, minor: 36 }),
      version: '1.2.3',
      log,
      reconcilePace,
    },
  )
  t.after(() => webhook.close({ lingerMs: 0 }))
  return { cluster, webhook, lines, logged }
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
  readonly client?: KeyPair
  /** The address of the client, of this machine. */
  readonly localAddress?: string
}

export function post(
  webhook: Webhook,
  path: string,
  body: unknown,
  { headers = {}, ...rest }: PostOptions = {},
): Promise<Answer> {
  const { port, certificatesPort } = webhook
  return ask(path === '/certificates' ? certificatesPort : port, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...rest,
  })
}

export function review(
  webhook: Webhook,
  object: NewObject,
  options: PostOptions = {},
): Promise<Answer> {
  const request = {
    uid: 'uid-of-review',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: 'CREATE',
    namespace: 'hpc',
    object,
  }
  return post(
    webhook,
    '/mutate',
    { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request },
    options,
  )
}
