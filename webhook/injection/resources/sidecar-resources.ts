// The resources of the injected container: what it wants, what users set, and what the namespace and the pod allow. Pure.
import type { Settings } from '../../objects/annotation-rules.ts'
import type { Pod } from '../../objects/pod.ts'
import { formatQuantity, parseQuantity } from '../../objects/quantity.ts'
import type { Bound } from './bound.ts'
import { fit, type Misfit, type Wish } from './fit.ts'
import { type Default, defaultsOf, type LimitRange, limitRangeBounds } from './limit-range.ts'
import { isGuaranteed } from './quality.ts'
import { quotaBounds, type ResourceQuota, scopeObstacle } from './resource-quota.ts'
import { amountOf, containerTotal, NOTHING } from './totals.ts'

/** The policies of a namespace for the resources of its pods. */
export interface Policies {
  readonly limitRanges: readonly LimitRange[]
  readonly quotas: readonly ResourceQuota[]
}

/** core/v1 `ResourceRequirements`. */
export interface Resources {
  readonly requests: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, string>>
}

/** What is wanted of one resource, as quantities. */
interface Wanted {
  readonly request: string
  readonly limit: string
}

/** What the sidecar needs at least. A reading costs a few milliseconds of CPU, and RSS stays under 96 MiB. */
const NEEDS = {
  // With less than 50m the start and every TLS handshake would take seconds.
  cpu: { leastRequest: '1m', leastLimit: '50m', goodLimit: '100m' },
  memory: { leastRequest: '32Mi', leastLimit: '96Mi', goodLimit: '128Mi' },
} as const

const DEFAULTS = {
  cpu: { request: '25m', limit: '1', guaranteed: '100m' },
  memory: { request: '64Mi', limit: '128Mi', guaranteed: '128Mi' },
} as const

/** Logs, which the kubelet keeps up to 50 MiB of. */
const EPHEMERAL_STORAGE = { least: '64Mi', limit: '1Gi' } as const

/** @returns a misfit if no amounts would be admitted with the pod */
export function sidecarResources(
  pod: Pod,
  settings: Settings,
  policies: Policies,
): Misfit | ({ readonly kind: 'fits' } & Resources) {
  const [obstacle] = policies.quotas.flatMap((quota) => scopeObstacle(quota, pod) ?? [])
  if (obstacle !== undefined) return { kind: 'misfit', why: obstacle }
  const tooSmall = ownLimitMisfit(pod)
  if (tooSmall !== undefined) return tooSmall
  const requests: Record<string, string> = {}
  const limits: Record<string, string> = {}
  for (const [resource, wanted, wish] of wishes(pod, settings, policies)) {
    const fitted = fit(wish, boundsOf(pod, resource, policies))
    if (fitted.kind === 'misfit') return fitted
    if (!isForSidecars(resource) && fitted.limit > 0n) {
      const amount = formatQuantity(resource, fitted.limit)
      const why = `a LimitRange gives every container ${amount} of ${resource}, which the sidecar must not take from jobs`
      return { kind: 'misfit', why }
    }
    requests[resource] = textOf(resource, fitted.request, wanted)
    limits[resource] = textOf(resource, fitted.limit, wanted)
  }
  return { kind: 'fits', requests, limits }
}

type NamedWish = readonly [resource: string, wanted: Wanted, wish: Wish]

function wishes(pod: Pod, settings: Settings, { limitRanges }: Policies): readonly NamedWish[] {
  const own = (['cpu', 'memory'] as const)
    .filter((resource) => !leavesRequestToLimit(pod, resource))
    .map((resource) => wishFor(pod, resource, settings))
  const others = [...defaultsOf(limitRanges)].filter(
    ([name]) => name !== 'cpu' && name !== 'memory',
  )
  return [...own, ...others.map(([resource, its]) => wishForDefault(resource, its))]
}

/**
 * A pod with a limit of its own, and without any request, has that limit as its request. With a request of the sidecar it would
 * have only that (Kubernetes 1.37). The sidecar is within the pod's limit anyway.
 */
function leavesRequestToLimit(pod: Pod, resource: string): boolean {
  return (
    amountOf(pod.spec.resources, 'limits', resource) !== undefined &&
    amountOf(pod.spec.resources, 'requests', resource) === undefined &&
    !containerTotal(pod, 'requests', resource).isSet
  )
}

/** With a limit of 0, which Kubernetes takes for none, the pod would get requests only from the sidecar's. */
function ownLimitMisfit({ spec }: Pod): Misfit | undefined {
  for (const resource of ['cpu', 'memory'] as const) {
    const limit = amountOf(spec.resources, 'limits', resource)
    const { leastLimit } = NEEDS[resource]
    if (limit === undefined || limit >= thousandths(leastLimit)) continue
    const why =
      `spec.resources of the pod has a ${resource} limit of ${formatQuantity(resource, limit)}, ` +
      `and the sidecar needs at least ${leastLimit}`
    return { kind: 'misfit', why }
  }
  return undefined
}

function wishFor(pod: Pod, resource: 'cpu' | 'memory', settings: Settings): NamedWish {
  const isEqual = isGuaranteed(pod)
  const wanted = isEqual ? guaranteed(resource, settings) : burstable(resource, settings)
  const { leastRequest, leastLimit, goodLimit } = NEEDS[resource]
  const chosen = resource === 'cpu' ? settings.cpuLimit : settings.memoryLimit
  const isCovered =
    amountOf(pod.spec.resources, 'requests', resource) !== undefined ||
    amountOf(pod.spec.resources, 'limits', resource) !== undefined
  const wish = {
    resource,
    request: thousandths(wanted.request),
    limit: thousandths(wanted.limit),
    // The request of the pod itself counts there.
    leastRequest: isCovered ? 0n : thousandths(leastRequest),
    leastLimit: thousandths(leastLimit),
    goodLimit: thousandths(chosen ?? goodLimit),
    isEqual,
  }
  return [resource, wanted, wish]
}

/** With a limit below its request the API server refuses a pod: a request without a limit of the user raises the default. */
function burstable(
  resource: 'cpu' | 'memory',
  { cpuRequest, cpuLimit, memoryRequest, memoryLimit }: Settings,
): Wanted {
  const isCpu = resource === 'cpu'
  const { request, limit } = DEFAULTS[resource]
  const wantedRequest = (isCpu ? cpuRequest : memoryRequest) ?? request
  const wantedLimit = (isCpu ? cpuLimit : memoryLimit) ?? larger(wantedRequest, limit)
  return { request: wantedRequest, limit: wantedLimit }
}

/** A Guaranteed pod may have cores of its own. With the sidecar it must stay Guaranteed: the request is also the limit. */
function guaranteed(
  resource: 'cpu' | 'memory',
  { cpuRequest, cpuLimit, memoryRequest, memoryLimit }: Settings,
): Wanted {
  const { guaranteed: amount } = DEFAULTS[resource]
  const chosen =
    resource === 'cpu'
      ? (cpuRequest ?? cpuLimit ?? amount)
      : (memoryLimit ?? larger(memoryRequest ?? amount, amount))
  return { request: chosen, limit: chosen }
}

/** All others, such as GPUs, are for jobs. */
function isForSidecars(resource: string): boolean {
  return ['cpu', 'memory', 'ephemeral-storage'].includes(resource)
}

/**
 * LimitRanger would give the sidecar the defaults of other resources. It needs storage for its logs, and none of the rest: a
 * default of GPUs would take one.
 */
function wishForDefault(resource: string, { request = 0n, limit }: Default): NamedWish {
  const isStorage = resource === 'ephemeral-storage'
  const least = isStorage ? thousandths(EPHEMERAL_STORAGE.least) : 0n
  const usual = thousandths(EPHEMERAL_STORAGE.limit)
  const most = limit ?? (request > usual ? request : usual)
  const amounts = isStorage ? { request, limit: most } : { request: 0n, limit: 0n }
  const wanted = {
    request: formatQuantity(resource, amounts.request),
    limit: formatQuantity(resource, amounts.limit),
  }
  const needs = { leastRequest: 0n, leastLimit: least, goodLimit: least, isEqual: !isStorage }
  return [resource, wanted, { resource, ...amounts, ...needs }]
}

function boundsOf(pod: Pod, resource: string, policies: Policies): readonly Bound[] {
  return [
    ...ownBounds(pod, resource),
    ...policies.limitRanges.flatMap((limitRange) => limitRangeBounds(limitRange, pod, resource)),
    ...policies.quotas.flatMap((quota) => quotaBounds(quota, pod, resource)),
  ]
}

/**
 * In a pod with resources of its own, the requests of all containers together are at most its request, and the limit of each
 * is at most its limit. A request that it does not have becomes that of the containers, and is at most its limit.
 */
function ownBounds(pod: Pod, resource: string): readonly Bound[] {
  const limit = amountOf(pod.spec.resources, 'limits', resource)
  const request = amountOf(pod.spec.resources, 'requests', resource) ?? limit
  if (request === undefined) return []
  return [
    {
      by: 'spec.resources of the pod',
      requests: containerTotal(pod, 'requests', resource),
      limits: NOTHING,
      maxRequest: request,
      ...(limit !== undefined && { maxLimit: limit }),
    },
  ]
}

/** Keeps the form that the user chose. */
function textOf(resource: string, amount: bigint, { request, limit }: Wanted): string {
  const same = [request, limit].find((text) => parseQuantity(text) === amount)
  return same ?? formatQuantity(resource, amount)
}

function larger(a: string, b: string): string {
  return thousandths(a) > thousandths(b) ? a : b
}

function thousandths(text: string): bigint {
  return parseQuantity(text) ?? 0n
}
