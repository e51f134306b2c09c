// A bound that something in the namespace, or the pod, sets to one resource, and what of it is left for the sidecar. Pure.
import { ceilDivide } from '../../objects/quantity.ts'
import { type Total, totalWith } from './totals.ts'

/** All amounts are thousandths. */
export interface Bound {
  /** What sets it, for people: `LimitRange "small"`. */
  readonly by: string
  /** What the bound counts besides the sidecar. */
  readonly requests: Total
  readonly limits: Total
  /** The least request, and the least limit. */
  readonly min?: bigint
  readonly maxRequest?: bigint
  readonly maxLimit?: bigint
  /** How many times the request the limit may be, in thousandths. */
  readonly ratio?: bigint
}

export interface Amounts {
  readonly request: bigint
  readonly limit: bigint
}

/** The least that the sidecar must add to reach the minimum. */
export function leastAdded(total: Total, min: bigint | undefined): bigint {
  if (min === undefined || totalWith(total, 0n) >= min) return 0n
  return min - total.running
}

/** The most that the sidecar may add; `undefined` for any amount. */
export function mostAdded(total: Total, max: bigint | undefined): bigint | undefined {
  return max === undefined || total.isFixed ? undefined : max - total.running
}

/** The largest limit of the sidecar that the ratio allows beside this request. */
export function limitByRatio(bound: Bound, { request, limit }: Amounts): bigint {
  const { ratio, requests, limits } = bound
  if (ratio === undefined || limits.isFixed) return limit
  return (totalWith(requests, request) * ratio) / 1000n - limits.running
}

/** The least request of the sidecar that the ratio demands beside this limit. */
export function requestByRatio(bound: Bound, { request, limit }: Amounts): bigint {
  const { ratio, requests, limits } = bound
  if (ratio === undefined || requests.isFixed) return request
  const demanded = ceilDivide(totalWith(limits, limit) * 1000n, ratio)
  return requests.starting >= demanded ? request : demanded - requests.running
}

/** With floating-point numbers, as LimitRanger does it (`limitRequestRatioConstraint`). */
export function keepsRatio({ ratio, requests, limits }: Bound, amounts: Amounts): boolean {
  if (ratio === undefined) return true
  const request = totalWith(requests, amounts.request)
  const limit = totalWith(limits, amounts.limit)
  if (request === 0n || limit === 0n) return false
  return (Number(limit) / Number(request)) * 1000 <= Number(ratio)
}

export function keeps(bound: Bound, amounts: Amounts): boolean {
  const { min = 0n, maxRequest, maxLimit } = bound
  const request = totalWith(bound.requests, amounts.request)
  const limit = totalWith(bound.limits, amounts.limit)
  return (
    request >= min &&
    limit >= min &&
    (maxRequest === undefined || request <= maxRequest) &&
    (maxLimit === undefined || limit <= maxLimit) &&
    keepsRatio(bound, amounts)
  )
}
