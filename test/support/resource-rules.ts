// Kubernetes' rules for the resources of a new pod: defaulting, validation of pods with resources of their own, LimitRanger and
// ResourceQuota. Written from the Go sources of 1.37 (pkg/apis/core, plugin/pkg/admission/limitranger, pkg/quota/v1), in whole
// thousandths, and without any code of the webhook. Tests ask it whether a pod is admitted.

type Amounts = Record<string, string>

export type ResourceRequirements = {
  requests?: Amounts
  limits?: Amounts
}

export type RuledContainer = {
  readonly name: string
  readonly restartPolicy?: string
  readonly resources?: ResourceRequirements
}

export interface RuledPod {
  readonly containers: readonly RuledContainer[]
  readonly initContainers: readonly RuledContainer[]
  readonly resources?: ResourceRequirements
  readonly overhead?: Amounts
}

export type LimitRangeItem = {
  readonly type: 'Container' | 'Pod'
  readonly min?: Amounts
  readonly max?: Amounts
  readonly default?: Amounts
  readonly defaultRequest?: Amounts
  readonly maxLimitRequestRatio?: Amounts
}

export interface Quota {
  readonly name: string
  readonly scopes?: readonly string[]
  readonly hard: Amounts
  readonly used: Amounts
}

export interface Rules {
  readonly limitRanges: readonly (readonly LimitRangeItem[])[]
  readonly quotas: readonly Quota[]
  /** Since 1.37 a pod's own requests are set after the webhooks; before, when the pod is read. */
  readonly setsRequestsLate: boolean
}

const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
}

/** In thousandths. */
function numberIn(text: string): number {
  const [, digits = '', unit = ''] = /^([\d.]+)(\w*)$/.exec(text) ?? []
  const factor = unit === '' ? 1 : UNITS[unit]
  if (digits === '' || factor === undefined) throw new Error(`Cannot read quantity "${text}"`)
  return Math.round(Number(digits) * factor * 1000)
}

/** The pod as a webhook sees it. */
export function asReviewed(pod: RuledPod, rules: Rules): RuledPod {
  const defaulted = withLimitRangerDefaults(withRequestsFromLimits(pod), rules)
  return rules.setsRequestsLate
    ? defaulted
    : { ...defaulted, ...ownRequests(pod, withRequestsFromLimits(pod)) }
}

/** Why the API server refuses a pod that the webhooks have left like this; empty if it admits the pod. */
export function refusals(reviewed: RuledPod, rules: Rules): readonly string[] {
  // LimitRanger sets its defaults again, because a webhook has changed the pod.
  const defaulted = withLimitRangerDefaults(withRequestsFromLimits(reviewed), rules)
  const pod = rules.setsRequestsLate
    ? { ...defaulted, ...ownRequests(defaulted, defaulted) }
    : defaulted
  return [
    ...invalidResources(pod),
    ...rules.limitRanges.flatMap((items) => items.flatMap((item) => brokenLimits(pod, item))),
    ...rules.quotas.flatMap((quota) => brokenQuota(pod, quota)),
  ]
}

export function isGuaranteed(pod: RuledPod): boolean {
  const all = hasOwn(pod) ? [pod] : everyContainer(pod)
  return all.every(({ resources }) =>
    ['cpu', 'memory'].every((name) => {
      const [request, limit] = [
        resources?.requests?.[name] ?? '0',
        resources?.limits?.[name] ?? '0',
      ]
      return numberIn(limit) > 0 && numberIn(request) === numberIn(limit)
    }),
  )
}

function everyContainer({ containers, initContainers }: RuledPod): readonly RuledContainer[] {
  return [...initContainers, ...containers]
}

function hasOwn({ resources }: RuledPod): boolean {
  return Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0
}

function mapContainers(
  pod: RuledPod,
  change: (container: RuledContainer) => RuledContainer,
): RuledPod {
  return {
    ...pod,
    containers: pod.containers.map(change),
    initContainers: pod.initContainers.map(change),
  }
}

/** SetDefaults_Pod. */
function withRequestsFromLimits(pod: RuledPod): RuledPod {
  return mapContainers(pod, (container) => {
    const { limits = {}, requests = {} } = container.resources ?? {}
    return { ...container, resources: { limits, requests: { ...limits, ...requests } } }
  })
}

/** SetDefaults_LimitRangeItem, which the API server has done with every stored LimitRange. */
export function asStored(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  return { ...item, default: limits, defaultRequest: requests }
}

/** PodMutateLimitFunc. */
function withLimitRangerDefaults(pod: RuledPod, { limitRanges }: Rules): RuledPod {
  const items = limitRanges
    .flat()
    .map(asStored)
    .filter(({ type }) => type === 'Container')
  return items.reduce(
    (before, item) =>
      mapContainers(before, (container) => ({
        ...container,
        resources: {
          limits: { ...item.default, ...container.resources?.limits },
          requests: { ...item.defaultRequest, ...container.resources?.requests },
        },
      })),
    pod,
  )
}

/** defaultPodRequests. */
function ownRequests(
  pod: RuledPod,
  { containers, initContainers }: RuledPod,
): Pick<RuledPod, 'resources'> {
  const { resources } = pod
  const limits = resources?.limits ?? {}
  if (resources === undefined || Object.keys(limits).length === 0) return {}
  const requests: Amounts = { ...resources.requests }
  const sums = containerSums({ containers, initContainers }, 'requests')
  for (const name of ['cpu', 'memory']) {
    const sum = sums.get(name)
    if (requests[name] !== undefined) continue
    if (sum !== undefined) requests[name] = `${sum}m`
    else if (limits[name] !== undefined) requests[name] = limits[name]
  }
  return { resources: { limits, requests } }
}

/** AggregateContainerRequests and AggregateContainerLimits. */
function containerSums(
  { containers, initContainers }: Pick<RuledPod, 'containers' | 'initContainers'>,
  side: 'requests' | 'limits',
): ReadonlyMap<string, number> {
  const result = new Map<string, number>()
  const sidecars = new Map<string, number>()
  const initial = new Map<string, number>()
  const add = (sum: Map<string, number>, amounts: Amounts = {}) => {
    for (const [name, text] of Object.entries(amounts)) {
      sum.set(name, (sum.get(name) ?? 0) + numberIn(text))
    }
  }
  for (const { resources } of containers) add(result, resources?.[side])
  for (const { restartPolicy, resources } of initContainers) {
    const now = new Map(sidecars)
    add(now, resources?.[side])
    if (restartPolicy === 'Always') {
      add(result, resources?.[side])
      add(sidecars, resources?.[side])
    }
    for (const [name, value] of now) initial.set(name, Math.max(initial.get(name) ?? value, value))
  }
  for (const [name, value] of initial) result.set(name, Math.max(result.get(name) ?? value, value))
  return result
}

/** podRequests and podLimits: those of the pod itself replace the sums. */
function podSums(pod: RuledPod, side: 'requests' | 'limits'): ReadonlyMap<string, number> {
  const own = Object.entries(pod.resources?.[side] ?? {}).map(
    ([name, text]) => [name, numberIn(text)] as const,
  )
  return new Map([...containerSums(pod, side), ...own])
}

/** validateResourceRequirements and validatePodResourceConsistency. */
function invalidResources(pod: RuledPod): readonly string[] {
  const found: string[] = []
  for (const { resources = {} } of [pod, ...everyContainer(pod)]) {
    for (const [name, text] of Object.entries(resources.requests ?? {})) {
      const limit = resources.limits?.[name]
      if (limit !== undefined && numberIn(text) > numberIn(limit))
        found.push(`request of ${name} above its limit`)
    }
  }
  for (const [name, sum] of containerSums(pod, 'requests')) {
    const own = pod.resources?.requests?.[name]
    if (own !== undefined && sum > numberIn(own)) found.push(`requests of ${name} above the pod's`)
  }
  for (const { resources } of pod.containers) {
    for (const [name, text] of Object.entries(resources?.limits ?? {})) {
      const own = pod.resources?.limits?.[name]
      if (own !== undefined && numberIn(text) > numberIn(own))
        found.push(`limit of ${name} above the pod's`)
    }
  }
  return found
}

/** PodValidateLimitFunc. */
function brokenLimits(pod: RuledPod, item: LimitRangeItem): readonly string[] {
  if (item.type === 'Pod') return brokenBy(item, podSums(pod, 'requests'), podSums(pod, 'limits'))
  return everyContainer(pod).flatMap(({ resources }) => {
    const numbers = (amounts: Amounts = {}) =>
      new Map(Object.entries(amounts).map(([name, text]) => [name, numberIn(text)]))
    return brokenBy(item, numbers(resources?.requests), numbers(resources?.limits))
  })
}

/** minConstraint, maxConstraint and limitRequestRatioConstraint. */
function brokenBy(
  { type, min = {}, max = {}, maxLimitRequestRatio = {} }: LimitRangeItem,
  requests: ReadonlyMap<string, number>,
  limits: ReadonlyMap<string, number>,
): readonly string[] {
  const found: string[] = []
  for (const [name, text] of Object.entries(min)) {
    const request = requests.get(name)
    const limit = limits.get(name) ?? Number.POSITIVE_INFINITY
    const least = numberIn(text)
    if (request === undefined || request < least || limit < least) {
      found.push(`min of ${name} per ${type}`)
    }
  }
  for (const [name, text] of Object.entries(max)) {
    const limit = limits.get(name)
    const most = numberIn(text)
    if (limit === undefined || limit > most || (requests.get(name) ?? 0) > most) {
      found.push(`max of ${name} per ${type}`)
    }
  }
  for (const [name, text] of Object.entries(maxLimitRequestRatio)) {
    const [request, limit] = [requests.get(name) ?? 0, limits.get(name) ?? 0]
    if (request === 0 || limit === 0 || (limit / request) * 1000 > numberIn(text)) {
      found.push(`ratio of ${name} per ${type}`)
    }
  }
  return found
}

/** CheckRequest with podEvaluator. */
function brokenQuota(pod: RuledPod, { name, scopes = [], hard, used }: Quota): readonly string[] {
  if (!scopes.every((scope) => isInScope(pod, scope))) return []
  const usage = usageOf(pod)
  return Object.entries(hard).flatMap(([resource, most]) => {
    const more = usage.get(resource) ?? 0
    const isOver = more > 0 && numberIn(used[resource] ?? '0') + more > numberIn(most)
    const lacks = !hasOwn(pod) && everyContainer(pod).some((its) => lacksDemanded(its, resource))
    return [
      ...(lacks ? [`${name} demands ${resource}`] : []),
      ...(isOver ? [`${name} has no ${resource}`] : []),
    ]
  })
}

/** podMatchesScopeFunc. */
function isInScope(pod: RuledPod, scope: string): boolean {
  const all = hasOwn(pod) ? [pod] : everyContainer(pod)
  const isBest = all.every(({ resources }) =>
    [resources?.requests, resources?.limits].every(
      (its) => numberIn(its?.cpu ?? '0') === 0 && numberIn(its?.memory ?? '0') === 0,
    ),
  )
  if (scope === 'BestEffort') return isBest
  return scope === 'NotBestEffort' ? !isBest : scope === 'NotTerminating'
}

/** enforcePodContainerConstraints. */
function lacksDemanded({ resources }: RuledContainer, resource: string): boolean {
  const [, side, plain] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(resource) ?? []
  const its = side === 'limits' ? resources?.limits : resources?.requests
  return plain !== undefined && its?.[plain] === undefined
}

/** PodUsageFunc. */
function usageOf(pod: RuledPod): ReadonlyMap<string, number> {
  const usage = new Map<string, number>([['pods', 1000]])
  for (const side of ['requests', 'limits'] as const) {
    const sums = new Map(podSums(pod, side))
    for (const [resource, text] of Object.entries(pod.overhead ?? {})) {
      const sum = sums.get(resource) ?? 0
      if (side === 'requests' || sum > 0) sums.set(resource, sum + numberIn(text))
    }
    for (const [resource, sum] of sums) {
      usage.set(`${side}.${resource}`, sum)
      if (side === 'requests') usage.set(resource, sum)
    }
  }
  return usage
}
