// ResourceQuotas (core/v1): which of them count a pod, and what they leave for the sidecar, as the admission plugin
// ResourceQuota does. Pure.
import * as v from 'valibot'
import { allContainers, type Pod, Quantities } from '../../objects/pod.ts'
import type { Bound } from './bound.ts'
import { quantityIn } from './limit-range.ts'
import { isBestEffort } from './quality.ts'
import { amountOf, hasOwnResources, podTotal, type Total, totalWith } from './totals.ts'

const Selector = v.looseObject({
  scopeName: v.string(),
  operator: v.string(),
  values: v.nullish(v.array(v.string())),
})

export const ResourceQuotaSchema = v.looseObject({
  metadata: v.looseObject({ name: v.string() }),
  spec: v.nullish(
    v.looseObject({
      scopes: v.nullish(v.array(v.string())),
      scopeSelector: v.nullish(v.looseObject({ matchExpressions: v.nullish(v.array(Selector)) })),
    }),
  ),
  status: v.nullish(v.looseObject({ hard: Quantities, used: Quantities })),
})

export type ResourceQuota = v.InferOutput<typeof ResourceQuotaSchema>

/** The names by which a quota counts the requests and the limits of a resource. */
const NAMES = {
  requests: (resource: string) => [resource, `requests.${resource}`],
  limits: (resource: string) => [`limits.${resource}`],
} as const

/** A quota that counts one of these demands an amount of every container of its pods. */
const DEMANDED = (['cpu', 'memory'] as const).flatMap((resource) =>
  (['requests', 'limits'] as const).flatMap((side) =>
    NAMES[side](resource).map((name) => ({ name, side, resource })),
  ),
)

/** What a quota that counts the pod leaves of one resource. A quota that refuses the pod anyway sets no bound. */
export function quotaBounds(quota: ResourceQuota, pod: Pod, resource: string): readonly Bound[] {
  if (!counts(quota, pod, { isBestEffort: staysBestEffort(pod) })) return []
  const requests = withOverhead(podTotal(pod, 'requests', resource), pod, resource)
  const limits = withOverhead(podTotal(pod, 'limits', resource), pod, resource)
  const maxRequest = leftFor(requests, NAMES.requests(resource), quota)
  const maxLimit = leftFor(limits, NAMES.limits(resource), quota)
  if (maxRequest === undefined && maxLimit === undefined) return []
  return [
    {
      by: nameOf(quota),
      requests,
      limits,
      ...(maxRequest !== undefined && { maxRequest }),
      ...(maxLimit !== undefined && { maxLimit }),
    },
  ]
}

/** A quota as it will be when a pod that runs, and that it has counted, is gone. */
export function quotaWithout(quota: ResourceQuota, pod: Pod): ResourceQuota {
  const { status } = quota
  if (!counts(quota, pod, { isBestEffort: isBestEffort(pod) })) return quota
  const used = Object.keys(status?.used ?? {}).map((name) => {
    const left = (quantityIn(status?.used, name) ?? 0n) - useOf(pod, name)
    return [name, `${left < 0n ? 0n : left}m`]
  })
  return { ...quota, status: { ...status, used: Object.fromEntries(used) } }
}

/** What a quota counts of a pod by this name. */
function useOf(pod: Pod, name: string): bigint {
  if (name === 'pods' || name === 'count/pods') return 1000n
  const [, prefix, resource = name] = /^(requests|limits)\.(.+)$/.exec(name) ?? []
  const side = prefix === 'limits' ? 'limits' : 'requests'
  return totalWith(withOverhead(podTotal(pod, side, resource), pod, resource), 0n)
}

/**
 * A pod without any amounts is "BestEffort", and with the sidecar it is not. So another quota may count it then, which has no
 * room for one more pod or demands amounts of all its containers.
 *
 * @returns why the pod would be refused, in words
 */
export function scopeObstacle(quota: ResourceQuota, pod: Pod): string | undefined {
  if (!isBestEffort(pod) || staysBestEffort(pod)) return undefined
  if (counts(quota, pod, { isBestEffort: true })) return undefined
  if (!counts(quota, pod, { isBestEffort: false })) return undefined
  const { hard } = quota.status ?? {}
  const why = `${nameOf(quota)} is for pods with requests, which this one becomes by the sidecar`
  const full = ['pods', 'count/pods'].find((name) => (freeOf(quota, name) ?? 1000n) < 1000n)
  if (full !== undefined) return `${why}, and has no room for another pod`
  const lacking = DEMANDED.find(
    ({ name, side, resource }) =>
      hard?.[name] !== undefined &&
      allContainers(pod).some((its) => amountOf(its.resources, side, resource) === undefined),
  )
  return (
    lacking && `${why}, and demands ${lacking.side} of ${lacking.resource} of all its containers`
  )
}

/** With requests of the sidecar no pod is BestEffort, unless the pod itself has amounts: then only those matter. */
function staysBestEffort(pod: Pod): boolean {
  return hasOwnResources(pod) && isBestEffort(pod)
}

function nameOf({ metadata }: ResourceQuota): string {
  return `ResourceQuota "${metadata.name}"`
}

/** The most that the pod may have; `undefined` if the quota does not count it, or refuses the pod even without the sidecar. */
function leftFor(total: Total, names: readonly string[], quota: ResourceQuota): bigint | undefined {
  const left = names.flatMap((name) => freeOf(quota, name) ?? [])
  return left
    .filter((free) => totalWith(total, 0n) <= free)
    .reduce<bigint | undefined>(
      (least, free) => (least === undefined || free < least ? free : least),
      undefined,
    )
}

/** Without `used` the quota controller has not counted yet, and the API server refuses every pod. */
function freeOf({ status }: ResourceQuota, name: string): bigint | undefined {
  const hard = quantityIn(status?.hard, name)
  const used = quantityIn(status?.used, name)
  return hard === undefined || used === undefined ? undefined : hard - used
}

/** What the runtime class adds to each pod. */
function withOverhead(total: Total, { spec }: Pod, resource: string): Total {
  const overhead = quantityIn(spec.overhead, resource) ?? 0n
  return {
    ...total,
    running: total.running + overhead,
    starting: total.starting + overhead,
  }
}

function counts(
  { spec }: ResourceQuota,
  pod: Pod,
  quality: { readonly isBestEffort: boolean },
): boolean {
  const scopes = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }))
  return [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])].every((selector) =>
    isInScope(selector, pod, quality),
  )
}

function isInScope(
  { scopeName, operator, values }: v.InferOutput<typeof Selector>,
  { spec }: Pod,
  { isBestEffort: best }: { readonly isBestEffort: boolean },
): boolean {
  const isTerminating = (spec.activeDeadlineSeconds ?? -1) >= 0
  if (scopeName === 'Terminating') return isTerminating
  if (scopeName === 'NotTerminating') return !isTerminating
  if (scopeName === 'BestEffort') return best
  if (scopeName === 'NotBestEffort') return !best
  if (scopeName === 'PriorityClass') return selects(operator, values ?? [], spec.priorityClassName)
  return scopeName === 'CrossNamespacePodAffinity' && crossesNamespaces(spec.affinity)
}

function selects(
  operator: string,
  values: readonly string[],
  name: string | null | undefined,
): boolean {
  const hasName = (name ?? '') !== ''
  const isNamed = hasName && values.includes(name ?? '')
  if (operator === 'Exists') return hasName
  if (operator === 'DoesNotExist') return !hasName
  return operator === 'In' ? isNamed : !isNamed
}

const Term = v.union([
  v.looseObject({ namespaces: v.pipe(v.array(v.string()), v.minLength(1)) }),
  v.looseObject({ namespaceSelector: v.looseObject({}) }),
])

/** Whether any term of the pod's (anti-)affinity to pods names namespaces. */
function crossesNamespaces(affinity: unknown): boolean {
  if (typeof affinity !== 'object' || affinity === null) return false
  return v.is(Term, affinity) || Object.values(affinity).some(crossesNamespaces)
}
