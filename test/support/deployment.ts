// The Deployments, Services and pod templates of webhook and gateway in manifests/.
import * as v from 'valibot'
import { theOnly } from './manifests.ts'

export const Labels = v.record(v.string(), v.string())
export const Selector = v.strictObject({ matchLabels: Labels })

const Env = v.strictObject({
  name: v.string(),
  value: v.optional(v.string()),
  valueFrom: v.optional(
    v.union([
      v.strictObject({ fieldRef: v.strictObject({ fieldPath: v.literal('metadata.namespace') }) }),
      v.strictObject({ configMapKeyRef: v.strictObject({ name: v.string(), key: v.string() }) }),
    ]),
  ),
})

const Container = v.looseObject({
  name: v.string(),
  env: v.array(Env),
  ports: v.array(v.strictObject({ name: v.string(), containerPort: v.number() })),
})

const DeploymentSchema = v.object({
  metadata: v.object({ namespace: v.string() }),
  spec: v.object({
    replicas: v.number(),
    selector: Selector,
    template: v.object({
      metadata: v.object({ labels: Labels }),
      spec: v.looseObject({
        priorityClassName: v.string(),
        terminationGracePeriodSeconds: v.number(),
        enableServiceLinks: v.boolean(),
        topologySpreadConstraints: v.array(
          v.looseObject({ topologyKey: v.string(), labelSelector: Selector }),
        ),
        containers: v.strictTuple([Container]),
      }),
    }),
  }),
})

const PortName = v.union([v.number(), v.string()])

/** core/v1 `Service`, with the fields that ours have. */
export const ServiceSchema = v.object({
  metadata: v.object({ name: v.string(), namespace: v.string() }),
  spec: v.object({
    selector: Labels,
    publishNotReadyAddresses: v.optional(v.boolean(), false),
    ports: v.array(v.strictObject({ name: v.string(), port: v.number(), targetPort: PortName })),
  }),
})

/** A Deployment and its Service. */
export interface Workload {
  readonly deployment: v.InferOutput<typeof DeploymentSchema>
  readonly service: v.InferOutput<typeof ServiceSchema>
}

/** Those of a folder of manifests/, which has one of each. */
export function workloadIn(folder: string): Workload {
  return {
    deployment: v.parse(DeploymentSchema, theOnly('Deployment', folder)),
    service: v.parse(ServiceSchema, theOnly('Service', folder)),
  }
}

export const { deployment: DEPLOYMENT, service: SERVICE } = workloadIn('base')
export const { namespace: NAMESPACE } = DEPLOYMENT.metadata
export const POD = DEPLOYMENT.spec.template
export const [CONTAINER] = POD.spec.containers

/** The value of a variable that is not a plain one, as the kubelet sets it. */
function givenValue({ valueFrom }: v.InferOutput<typeof Env>): string {
  return valueFrom !== undefined && 'fieldRef' in valueFrom ? NAMESPACE : BUNDLE
}

/** What the webhook writes into its ConfigMap. */
export const BUNDLE = 'the bundle of the webhook'

/** The environment of a container, as the kubelet sets it. `changes` replace variables. */
export function environmentOf(
  changes: readonly v.InferOutput<typeof Env>[] = [],
  container: v.InferOutput<typeof Container> = CONTAINER,
): Readonly<Record<string, string | undefined>> {
  const set: Record<string, string | undefined> = {}
  for (const variable of [...container.env, ...changes]) {
    const { name, value, valueFrom } = variable
    set[name] =
      valueFrom === undefined
        ? value?.replace(/\$\((\w+)\)/g, (text, other) => set[other] ?? text)
        : givenValue(variable)
  }
  return { ...set, KUBERNETES_SERVICE_HOST: '192.0.2.1' }
}
