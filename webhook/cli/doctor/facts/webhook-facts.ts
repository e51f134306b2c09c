// The configuration by which API servers ask the webhook about pods, and the Service that they ask.
import * as v from 'valibot'
import type { LabelSelector } from '#api/selectors/selector.ts'
import type { ClusterObject } from '../../../objects/cluster-object.ts'
import type { Api } from './api.ts'
import { type CalledServer, CalledServerFields, calledServer } from './called-server.ts'
import { ABSENT, knownOf, mapReading, type Reading, read, readNext } from './reading.ts'
import { readService, type ServiceFacts } from './service.ts'

/** Name of the webhook's configuration, Deployment and Service (manifests/base). */
export const WEBHOOK = 'flux-metrics-webhook'

/** The namespace that the manifests name. */
const NAMESPACE = 'flux-metrics'

/** The entry of the configuration that is about pods. */
export interface PodWebhook extends CalledServer {
  readonly name: string
  readonly failurePolicy: string
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
}

export interface WebhookFacts {
  /** Absent: there is no configuration, or it is not about pods. */
  readonly pods: Reading<PodWebhook>
  /** Absent if it is called by a URL. */
  readonly service: ServiceFacts
  /** Where the project is installed. */
  readonly namespace: string
  /** The CA certificates of the project (PEM). Absent: it has none of its own. */
  readonly projectCa: Reading<string>
}

const Texts = v.record(v.string(), v.string())

const Selector = v.nullish(
  v.object({
    matchLabels: v.exactOptional(Texts),
    matchExpressions: v.exactOptional(
      v.array(
        v.object({
          key: v.string(),
          operator: v.picklist(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: v.exactOptional(v.array(v.string())),
        }),
      ),
    ),
  }),
  {},
)

const Schema = v.object({
  metadata: v.object({ labels: v.nullish(Texts) }),
  webhooks: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        clientConfig: v.object(CalledServerFields),
        rules: v.nullish(v.array(v.object({ resources: v.nullish(v.array(v.string())) }))),
        failurePolicy: v.nullish(v.string(), 'Fail'),
        namespaceSelector: Selector,
        objectSelector: Selector,
      }),
    ),
  ),
})

const ConfigMapSchema = v.object({ data: v.nullish(Texts) })

export async function readWebhook(api: Api): Promise<WebhookFacts> {
  const what = `MutatingWebhookConfiguration ${WEBHOOK}`
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK}`
  const configuration = mapReading(await api.object(path, what), what, parse)
  const pods = ofPods(configuration)
  const place = await readNext(pods, async ({ place: one }) => (one ? read(one) : ABSENT))
  const namespace = knownOf(place)?.namespace ?? NAMESPACE
  const [service, projectCa] = await Promise.all([
    readService(api, place),
    readProjectCa(api, namespace),
  ])
  return { pods, service, namespace, projectCa }
}

function parse(object: ClusterObject): v.InferOutput<typeof Schema> | undefined {
  const parsed = v.safeParse(Schema, object)
  return parsed.success ? parsed.output : undefined
}

function ofPods(configuration: Reading<v.InferOutput<typeof Schema>>): Reading<PodWebhook> {
  if (configuration.kind !== 'read') return configuration
  const { metadata, webhooks } = configuration.value
  const found = webhooks?.find(({ rules }) =>
    rules?.some(({ resources }) => resources?.includes('pods')),
  )
  if (found === undefined) return ABSENT
  const { clientConfig, namespaceSelector, objectSelector, failurePolicy, name } = found
  return read({
    name,
    ...calledServer(clientConfig, metadata.labels),
    failurePolicy: failurePolicy ?? 'Fail',
    namespaceSelector: namespaceSelector ?? {},
    objectSelector: objectSelector ?? {},
  })
}

async function readProjectCa(api: Api, namespace: string): Promise<Reading<string>> {
  const name = 'flux-metrics-ca-bundle'
  const what = `ConfigMap ${namespace}/${name}`
  const object = await api.object(`/api/v1/namespaces/${namespace}/configmaps/${name}`, what)
  const bundle = mapReading(object, what, (value) => {
    const parsed = v.safeParse(ConfigMapSchema, value)
    return parsed.success ? (parsed.output.data?.['ca.crt'] ?? '') : undefined
  })
  // The webhook has not filled it, or nobody does.
  return bundle.kind === 'read' && bundle.value === '' ? ABSENT : bundle
}
