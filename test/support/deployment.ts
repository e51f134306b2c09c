// The webhook's Deployment, Service and pod template in manifests/.
import * as v from 'valibot'
import { theOnly } from './manifests.ts'

export const Labels = v.record(v.string(), v.string())
export const Selector = v.strictObject({ matchLabels: Labels })

const Env = v.strictObject({
  name: v.string(),
  value: v.optional(v.string()),
  valueFrom: v.optional(
    v.strictObject({ fieldRef: v.strictObject({ fieldPath: v.literal('metadata.namespace') }) }),
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

export const DEPLOYMENT = v.parse(DeploymentSchema, theOnly('Deployment', 'base'))
export const { namespace: NAMESPACE } = DEPLOYMENT.metadata
export const POD = DEPLOYMENT.spec.template
export const [CONTAINER] = POD.spec.containers
export const SERVICE = v.parse(ServiceSchema, theOnly('Service', 'base'))

/** The environment of the webhook, as the kubelet sets it. `changes` replace variables. */
export function environmentOf(
  changes: readonly v.InferOutput<typeof Env>[] = [],
): Readonly<Record<string, string | undefined>> {
  const variables = [...CONTAINER.env, ...changes].map(({ name, value, valueFrom }) => [
    name,
    valueFrom === undefined ? value : NAMESPACE,
  ])
  return { ...Object.fromEntries(variables), KUBERNETES_SERVICE_HOST: '192.0.2.1' }
}
