// A cluster in which nothing is wrong, as its API server answers kubectl: for tests that break one thing in it.
import { addDetails } from '#explaining/details.ts'
import { explain } from '#explaining/explanation.ts'
import { LastHour } from '#explaining/last-hour.ts'
import {
  examine,
  examineInstallation,
  type Report,
} from '../../../../webhook/cli/doctor/examination.ts'
import { Api } from '../../../../webhook/cli/doctor/facts/api.ts'
import { readFacts, readInstallation } from '../../../../webhook/cli/doctor/facts/facts.ts'
import { choicesFor, recommendHpa } from '../../../../webhook/cli/hpa/recommended-hpa.ts'
import type { Answer } from '../../../../webhook/cli/input/cluster/answer.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { snapshotOf } from '../../../support/snapshots.ts'
import { minicluster, recorded } from '../sources.ts'

/** What `kubectl get --raw` writes for a path that is not there. */
export const NOT_FOUND = 'Error from server (NotFound): it was not found'

/** And for one that the user may not read. */
export const FORBIDDEN = 'Error from server (Forbidden): User "nobody" cannot get it'

/** Other answers of the metrics API. */
export function unavailable(words: string): string {
  return `Error from server (ServiceUnavailable): ${words}`
}

export const AUTHORITY = await createAuthority('flux-metrics')
export const OTHER = await createAuthority('another')
export const EXPIRED = await createAuthority('flux-metrics', { notAfter: new Date(Date.now() - 1) })

export function encoded(pem: string): string {
  return Buffer.from(pem).toString('base64')
}

const NAMESPACE = '/api/v1/namespaces/default'
const GROUPS = '/apis/apiregistration.k8s.io/v1/apiservices'
const INSTALLED = '/api/v1/namespaces/flux-metrics'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/flux-metrics/endpointslices'
const DIRECT = 'custom-metrics-apiserver'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const CONTROLLER = 'system:controller:horizontal-pod-autoscaler'
const METRICS = '/apis/custom.metrics.k8s.io/v1beta2'
const OWN = 'namespaces/default/miniclusters.flux-framework.org/flux-sample'

/** Where each object is. */
export const PATHS = {
  version: '/version',
  v1beta1: `${GROUPS}/v1beta1.custom.metrics.k8s.io`,
  v1beta2: `${GROUPS}/v1beta2.custom.metrics.k8s.io`,
  external: `${GROUPS}/v1beta1.external.metrics.k8s.io`,
  externalDocument: '/apis/external.metrics.k8s.io/v1beta1',
  document: METRICS,
  olderDocument: '/apis/custom.metrics.k8s.io/v1beta1',
  gateway: `${INSTALLED}/services/flux-metrics-gateway`,
  gatewaySlices: `${SLICES}?flux-metrics-gateway`,
  webhookService: `${INSTALLED}/services/flux-metrics-webhook`,
  webhookSlices: `${SLICES}?flux-metrics-webhook`,
  direct: `${NAMESPACE}/services/${DIRECT}`,
  directSlices: `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?${DIRECT}`,
  ca: `${INSTALLED}/configmaps/flux-metrics-ca-bundle`,
  webhook:
    '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/flux-metrics-webhook',
  namespace: NAMESPACE,
  minicluster: '/apis/flux-framework.org/v1alpha2/namespaces/default/miniclusters/flux-sample',
  operatorApi: '/apis/flux-framework.org/v1alpha2',
  job: '/apis/batch/v1/namespaces/default/jobs/flux-sample',
  pods: `${NAMESPACE}/pods`,
  events: `${NAMESPACE}/events`,
  limitRanges: `${NAMESPACE}/limitranges`,
  quotas: `${NAMESPACE}/resourcequotas`,
  explain: `${METRICS}/${OWN}/explain`,
  olderExplain: `/apis/custom.metrics.k8s.io/v1beta1/${OWN}/explain`,
  metric: `${METRICS}/${OWN}/node_desired_count`,
  hpas: '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
  role: `${RBAC}/clusterroles/${CONTROLLER}`,
  binding: `${RBAC}/clusterrolebindings/${CONTROLLER}`,
} as const

export type Place = keyof typeof PATHS

/** An object, or what kubectl writes about a failure. */
type Stored = Record<string, unknown> | string

export type Objects = Record<Place, Stored>

function apiService(version: string, group: string, priority: number) {
  return {
    metadata: { name: `${version}.${group}`, labels: { 'flux-metrics/ca-bundle': 'true' } },
    spec: {
      versionPriority: priority,
      service: { namespace: 'flux-metrics', name: 'flux-metrics-gateway', port: 443 },
      caBundle: encoded(AUTHORITY.cert),
    },
    status: { conditions: [{ type: 'Available', status: 'True', reason: 'Passed', message: '' }] },
  }
}

function service(name: string, ...ports: readonly number[]) {
  return {
    metadata: { name },
    spec: {
      ports: ports.map((port) => ({ port })),
      selector: { 'app.kubernetes.io/name': name },
    },
  }
}

const READY = { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }] }

const SETTINGS = { size: 2, maxSize: 4, minSize: 1 }

/** The MiniCluster of the recordings, with settings that suit it. */
function goodMiniCluster(): Record<string, unknown> {
  const object = recorded('operator/minicluster-after-resize.json')
  const { spec } = object
  return {
    ...object,
    spec: {
      ...Object(spec),
      ...SETTINGS,
      containers: [{ image: 'app', resources: { requests: { cpu: '3' } } }],
      flux: { scheduler: { simple: true } },
    },
  }
}

const PROTECTED = {
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
}

/** Those of the recordings; the lead broker's has its sidecar. */
function goodPods(): Record<string, unknown> {
  const { items } = recorded('operator/pods-running.json')
  const pods = Array.isArray(items) ? structuredClone(items) : []
  for (const pod of pods) pod.metadata.annotations = { ...pod.metadata.annotations, ...PROTECTED }
  const [lead] = pods
  lead.metadata.annotations['flux-metrics/injected'] = '0.1.0'
  lead.metadata.labels['api-server'] = 'custom-metrics'
  lead.metadata.labels['flux-metrics/minicluster'] = 'flux-sample'
  lead.spec.initContainers.push({ name: 'flux-metrics', restartPolicy: 'Always' })
  lead.status.initContainerStatuses.push({
    name: 'flux-metrics',
    restartCount: 0,
    state: { running: {} },
  })
  return { metadata: { resourceVersion: '1' }, items: pods }
}

function goodExplanation(): Record<string, unknown> {
  const snapshot = snapshotOf({})
  const now = snapshot.takenAt
  const explanation = addDetails(explain(snapshot, now), new Set(), {
    snapshot,
    now,
    lastHour: new LastHour(now.getTime()),
    metrics: [],
  })
  return { ...explanation, warnings: [], unknowns: [], notices: [] }
}

/** Lets the explanation say something; without a code as an older release says it. */
export function say(
  objects: Objects,
  kind: 'warning' | 'unknown',
  ...notices: readonly { readonly text: string; readonly code?: string }[]
): void {
  const list = kind === 'warning' ? 'warnings' : 'unknowns'
  const texts = notices.map(({ text }) => text)
  set(objects, 'explain', [list], texts)
  const coded = notices.filter(({ code }) => code !== undefined)
  set(
    objects,
    'explain',
    ['notices'],
    coded.map((one) => ({ kind, ...one })),
  )
}

function goodHpa() {
  const source = minicluster(SETTINGS)
  const choices = choicesFor(source, { major: 1, minor: 37 })
  const hpa = recommendHpa('flux-framework.org/v1alpha2', source, choices)
  const condition = { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' }
  return { ...hpa, status: { conditions: [condition] } }
}

/** A fresh copy. */
export function healthyObjects(): Objects {
  const empty = { metadata: { resourceVersion: '1' }, items: [] }
  const objects: Objects = {
    version: { major: '1', minor: '37' },
    v1beta1: apiService('v1beta1', 'custom.metrics.k8s.io', 100),
    v1beta2: apiService('v1beta2', 'custom.metrics.k8s.io', 200),
    external: NOT_FOUND,
    externalDocument: NOT_FOUND,
    document: { kind: 'APIResourceList' },
    olderDocument: { kind: 'APIResourceList' },
    gateway: service('flux-metrics-gateway', 443),
    gatewaySlices: { items: [READY] },
    webhookService: service('flux-metrics-webhook', 443, 8444),
    webhookSlices: { items: [READY] },
    direct: NOT_FOUND,
    directSlices: { items: [READY] },
    ca: { data: { 'ca.crt': AUTHORITY.cert } },
    webhook: {
      metadata: { labels: { 'flux-metrics/ca-bundle': 'true' } },
      webhooks: [
        {
          name: 'pods.webhook.flux-metrics',
          clientConfig: {
            service: { namespace: 'flux-metrics', name: 'flux-metrics-webhook', port: 443 },
            caBundle: encoded(AUTHORITY.cert),
          },
          rules: [{ resources: ['pods'] }],
          failurePolicy: 'Ignore',
          namespaceSelector: {
            matchExpressions: [
              {
                key: 'kubernetes.io/metadata.name',
                operator: 'NotIn',
                values: ['kube-system'],
              },
            ],
          },
          objectSelector: {
            matchLabels: { app: 'flux-operator', 'batch.kubernetes.io/job-completion-index': '0' },
          },
        },
      ],
    },
    namespace: { metadata: { labels: { 'kubernetes.io/metadata.name': 'default' } } },
    minicluster: goodMiniCluster(),
    operatorApi: { kind: 'APIResourceList' },
    job: recorded('operator/job.json'),
    pods: goodPods(),
    events: empty,
    limitRanges: empty,
    quotas: empty,
    explain: goodExplanation(),
    olderExplain: NOT_FOUND,
    metric: { kind: 'MetricValueList' },
    hpas: { items: [goodHpa()] },
    role: {
      rules: [
        {
          apiGroups: ['custom.metrics.k8s.io', 'external.metrics.k8s.io'],
          resources: ['*'],
          verbs: ['get', 'list'],
        },
      ],
    },
    binding: { kind: 'ClusterRoleBinding' },
  }
  // Parts that several objects share become each one's own.
  return JSON.parse(JSON.stringify(objects))
}

type Keys = readonly (string | number)[]

/** Sets a value deep in an object; `undefined` removes it. */
export function set(objects: Objects, place: Place, keys: Keys, value: unknown): void {
  let inner: unknown = objects[place]
  for (const key of keys.slice(0, -1)) {
    if (!isMap(inner)) throw new TypeError(`Cannot change ${place}: nothing is at ${key}`)
    inner[key] ??= {}
    inner = inner[key]
  }
  const last = keys.at(-1)
  if (!isMap(inner) || last === undefined) throw new TypeError(`Cannot change ${place}`)
  if (value === undefined) delete inner[last]
  else inner[last] = value
}

function isMap(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}

/** The answers of its API server. */
export function answersOf(objects: Objects): (path: string) => Promise<Answer> {
  return async (path) => {
    const [start = '', query = ''] = path.split('?')
    const parameters = new URLSearchParams(query)
    const service = parameters.get('labelSelector')?.split('kubernetes.io/service-name=')[1]
    const wanted = service === undefined ? start : `${start}?${service}`
    const [place] = Object.entries(PATHS).find(([, known]) => known === wanted) ?? []
    if (place === undefined) throw new Error(`Unexpected request for ${path}`)
    const stored = Object.entries(objects).find(([name]) => name === place)?.[1]
    if (typeof stored !== 'object') {
      return { kind: 'failure', reason: stored ?? NOT_FOUND }
    }
    const fields = parameters.get('fieldSelector') ?? ''
    const { items, metrics } = stored
    const selected = Array.isArray(items) ? items.filter((item) => matches(item, fields)) : items
    const included = parameters.get('include') === 'metrics' ? metrics : undefined
    return { kind: 'text', text: JSON.stringify({ ...stored, items: selected, metrics: included }) }
  }
}

/** Selectors of pods as code of the gateway writes them. Events are not selected: there are none of others. */
function matches(item: unknown, selector: string): boolean {
  const { spec, status } = Object(item)
  return selector.split(',').every((one) => {
    if (one === 'status.phase!=Failed') return status.phase !== 'Failed'
    if (one === 'status.phase=Pending') return status.phase === 'Pending'
    if (one === 'spec.nodeName=') return (spec.nodeName ?? '') === ''
    return true
  })
}

export const NAME = { namespace: 'default', name: 'flux-sample' } as const

export async function reportOf(objects: Objects): Promise<Report> {
  return examine(await readFacts(new Api(answersOf(objects)), NAME))
}

export async function installationReportOf(objects: Objects): Promise<Report> {
  return examineInstallation(await readInstallation(new Api(answersOf(objects))))
}

/** As KEDA 2.21 makes it: it cannot be seen which metric KEDA follows. */
export function kedaHpa(good: { metadata: object; spec: object }) {
  const metadata = {
    ...good.metadata,
    name: 'keda-hpa-flux-sample',
    labels: {
      'app.kubernetes.io/managed-by': 'keda-operator',
      'app.kubernetes.io/name': 'keda-hpa-flux-sample',
      'scaledobject.keda.sh/name': 'scaled',
    },
  }
  const external = {
    metric: {
      name: 's0-metric-api-items-0-value',
      selector: { matchLabels: { 'scaledobject.keda.sh/name': 'scaled' } },
    },
    target: { type: 'AverageValue', averageValue: '1' },
  }
  return { ...good, metadata, spec: { ...good.spec, metrics: [{ type: 'External', external }] } }
}
