// What the containers of a pod request, and are limited to, as Kubernetes adds it up (KEP-753, component-helpers
// `AggregateContainerRequests`). Pure.
import type { Container, Pod } from '../../objects/pod.ts'
import { parseQuantity } from '../../objects/quantity.ts'

export type Side = 'requests' | 'limits'

/** The amounts of a pod, to which those of the sidecar are added. All amounts are thousandths. */
export interface Total {
  /** Of the containers that run together: native sidecars and ordinary containers. The sidecar adds to it. */
  readonly running: bigint
  /** The most while init containers run one after the other: the pod has at least this. */
  readonly starting: bigint
  /** Whether any container has an amount. */
  readonly isSet: boolean
  /** The pod itself says its amount (`spec.resources`), whatever its containers have. */
  readonly isFixed: boolean
}

export const NOTHING: Total = { running: 0n, starting: 0n, isSet: false, isFixed: false }

/** The pod's amount if the sidecar adds this to it. */
export function totalWith({ running, starting, isFixed }: Total, added: bigint): bigint {
  if (isFixed) return running
  const sum = running + added
  return sum > starting ? sum : starting
}

/** An amount of a container or pod; `undefined` if none is set. */
export function amountOf(
  resources: Container['resources'],
  side: Side,
  resource: string,
): bigint | undefined {
  const amount = resources?.[side]?.[resource]
  return amount === undefined ? undefined : parseQuantity(String(amount))
}

/** The amounts of the containers alone. */
export function containerTotal({ spec }: Pod, side: Side, resource: string): Total {
  const sum = (containers: readonly Container[]) =>
    containers.reduce((all, { resources }) => all + (amountOf(resources, side, resource) ?? 0n), 0n)
  const initContainers = spec.initContainers ?? []
  const sidecars = initContainers.filter(isSidecar)
  let before = 0n
  let starting = 0n
  for (const { restartPolicy, resources } of initContainers) {
    const now = before + (amountOf(resources, side, resource) ?? 0n)
    if (restartPolicy === 'Always') before = now
    if (now > starting) starting = now
  }
  const isSet = [...initContainers, ...spec.containers].some(
    ({ resources }) => amountOf(resources, side, resource) !== undefined,
  )
  return { running: sum(spec.containers) + sum(sidecars), starting, isSet, isFixed: false }
}

/** The amounts of the pod: its own (`spec.resources`) replace those of its containers. */
export function podTotal(pod: Pod, side: Side, resource: string): Total {
  const total = containerTotal(pod, side, resource)
  const own = amountOf(pod.spec.resources, side, resource)
  if (own !== undefined) return fixedAt(own)
  // A request that neither the pod nor a container has is set to the pod's limit.
  const limit = amountOf(pod.spec.resources, 'limits', resource)
  return side === 'requests' && limit !== undefined && !total.isSet ? fixedAt(limit) : total
}

/** Whether the pod itself has amounts of CPU or memory: then those of its containers decide no quality of service. */
export function hasOwnResources({ spec }: Pod): boolean {
  return [spec.resources?.requests, spec.resources?.limits].some(
    (amounts) => Object.keys(amounts ?? {}).length > 0,
  )
}

function fixedAt(amount: bigint): Total {
  return { running: amount, starting: amount, isSet: true, isFixed: true }
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}
