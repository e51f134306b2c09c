// The NetworkPolicies of components/network-policy.
import * as v from 'valibot'
import { Selector } from './deployment.ts'
import { objectsBelow } from './manifests.ts'

const Port = v.strictObject({
  port: v.union([v.string(), v.number()]),
  protocol: v.optional(v.string()),
})

const PolicySchema = v.object({
  metadata: v.object({ name: v.string() }),
  spec: v.strictObject({
    podSelector: Selector,
    policyTypes: v.array(v.string()),
    ingress: v.array(
      v.strictObject({
        ports: v.strictTuple([v.strictObject({ port: v.string() })]),
        from: v.optional(v.array(v.unknown())),
      }),
    ),
    egress: v.array(
      v.strictObject({ ports: v.optional(v.array(Port)), to: v.optional(v.array(v.unknown())) }),
    ),
  }),
})

/** The policy for the pods of a program. */
export function networkPolicy(name: string): v.InferOutput<typeof PolicySchema> {
  const policies = objectsBelow('components/network-policy').map((one) =>
    v.parse(PolicySchema, one),
  )
  const policy = policies.find(({ metadata }) => metadata.name === name)
  if (policy === undefined) throw new Error(`Cannot find NetworkPolicy "${name}" in manifests/`)
  return policy
}
