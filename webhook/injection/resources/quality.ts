// A pod's quality of service (`ComputePodQOS`): with the sidecar it must stay what it was where that can be. Pure.
import { allContainers, type Pod } from '../../objects/pod.ts'
import { amountOf, hasOwnResources } from './totals.ts'

const RESOURCES = ['cpu', 'memory'] as const

/**
 * Whether the containers make the pod "Guaranteed": each has limits of CPU and memory, and requests that equal them. A request
 * that is not set equals its limit. In a pod with resources of its own the containers do not matter.
 */
export function isGuaranteed(pod: Pod): boolean {
  if (hasOwnResources(pod)) return false
  return allContainers(pod).every(({ resources }) =>
    RESOURCES.every((resource) => {
      const limit = amountOf(resources, 'limits', resource) ?? 0n
      return limit > 0n && (amountOf(resources, 'requests', resource) ?? limit) === limit
    }),
  )
}

/** Whether neither a container nor the pod itself has an amount of CPU or memory other than 0. */
export function isBestEffort(pod: Pod): boolean {
  const all = hasOwnResources(pod) ? [pod.spec] : allContainers(pod)
  return all.every(({ resources }) =>
    RESOURCES.every((resource) =>
      (['requests', 'limits'] as const).every(
        (side) => (amountOf(resources, side, resource) ?? 0n) === 0n,
      ),
    ),
  )
}
