// Fits the sidecar's request and limit of one resource into all bounds, as near to what is wanted as they allow. Pure.
import { ceilDivide, formatQuantity } from '../../objects/quantity.ts'
import {
  type Amounts,
  type Bound,
  keeps,
  keepsRatio,
  leastAdded,
  limitByRatio,
  mostAdded,
  requestByRatio,
} from './bound.ts'

/** What the sidecar wants of one resource. All amounts are thousandths. */
export interface Wish extends Amounts {
  readonly resource: string
  readonly leastRequest: bigint
  readonly leastLimit: bigint
  /** A smaller limit is chosen only where a larger request is not possible either. */
  readonly goodLimit: bigint
  /** In a Guaranteed pod: the request must equal the limit. */
  readonly isEqual: boolean
}

/** Where nothing fits: a sentence for people. */
export interface Misfit {
  readonly kind: 'misfit'
  readonly why: string
}

export type Fitted = Misfit | ({ readonly kind: 'fits' } & Amounts)

/** One end of a range, and what sets it. */
interface End {
  readonly at: bigint
  readonly by: string
}

interface Range {
  readonly low: End
  /** Absent: any amount. */
  readonly high: End | undefined
}

export function fit(wish: Wish, bounds: readonly Bound[]): Fitted {
  const { resource, isEqual } = wish
  const unit = resource === 'cpu' ? 1n : 1000n
  const ofLimit = rangeOf(wish.leastLimit, bounds, unit, 'limits')
  const ofRequest = rangeOf(wish.leastRequest, bounds, unit, 'requests')
  const limits = narrowed(ofLimit, {
    low: ofRequest.low,
    high: isEqual ? ofRequest.high : undefined,
  })
  const requests = narrowed(ofRequest, { low: isEqual ? limits.low : NO_LOW, high: limits.high })
  const empty = isEmpty(limits) ? misfit(resource, 'limit', limits) : undefined
  if (empty !== undefined) return empty
  if (isEmpty(requests)) return misfit(resource, 'request', requests)
  const limit = clamp(wish.limit, limits)
  const request = isEqual ? limit : clamp(smaller(wish.request, limit), requests)
  const chosen = bounds.reduce<Amounts>(
    (amounts, bound) =>
      isEqual ? amounts : withinRatio(bound, amounts, { wish, limits, requests, unit }),
    { request, limit },
  )
  const broken = bounds.find((bound) => !keeps(bound, chosen))
  if (broken === undefined && chosen.request <= chosen.limit) return { kind: 'fits', ...chosen }
  const by = broken?.by ?? 'the ratio of limit to request'
  return { kind: 'misfit', why: `${by} leaves no ${resource} that the sidecar can use` }
}

const NO_LOW: End = { at: 0n, by: '' }

/** The amounts that minima and maxima leave, in whole units. */
function rangeOf(
  least: bigint,
  bounds: readonly Bound[],
  unit: bigint,
  side: 'requests' | 'limits',
) {
  let low: End = { at: least, by: 'The sidecar' }
  let high: End | undefined
  for (const bound of bounds) {
    const { by, min, maxRequest, maxLimit } = bound
    const at = ceilDivide(leastAdded(bound[side], min), unit) * unit
    if (at > low.at) low = { at, by }
    const most = mostAdded(bound[side], side === 'requests' ? maxRequest : maxLimit)
    if (most === undefined) continue
    const whole = most < 0n ? -1n : (most / unit) * unit
    if (high === undefined || whole < high.at) high = { at: whole, by }
  }
  return { low, high }
}

function narrowed(one: Range, other: Range): Range {
  const low = other.low.at > one.low.at ? other.low : one.low
  if (one.high === undefined || other.high === undefined)
    return { low, high: one.high ?? other.high }
  return { low, high: other.high.at < one.high.at ? other.high : one.high }
}

function isEmpty({ low, high }: Range): boolean {
  return high !== undefined && high.at < low.at
}

function clamp(wanted: bigint, { low, high }: Range): bigint {
  const atMost = high === undefined ? wanted : smaller(wanted, high.at)
  return larger(atMost, low.at)
}

/**
 * A limit costs nothing, and a request takes room from others. So the limit is lowered first, then the request is raised,
 * and only then the limit is lowered to the least.
 */
function withinRatio(
  bound: Bound,
  amounts: Amounts,
  {
    wish,
    limits,
    requests,
    unit,
  }: {
    readonly wish: Wish
    readonly limits: Range
    readonly requests: Range
    readonly unit: bigint
  },
): Amounts {
  if (keepsRatio(bound, amounts)) return amounts
  const lowered = (from: Amounts, least: bigint): Amounts => {
    const floor = larger(larger(least, limits.low.at), from.request)
    const allowed = (limitByRatio(bound, from) / unit) * unit
    const limit = smaller(from.limit, larger(allowed, floor))
    const next = { ...from, limit }
    return keepsRatio(bound, next)
      ? next
      : { ...from, limit: larger(limit - unit, smaller(floor, limit)) }
  }
  const raised = (from: Amounts): Amounts => {
    const ceiling = smaller(requests.high?.at ?? from.limit, from.limit)
    const demanded = ceilDivide(requestByRatio(bound, from), unit) * unit
    const next = { ...from, request: larger(from.request, smaller(demanded, ceiling)) }
    return keepsRatio(bound, next)
      ? next
      : { ...next, request: smaller(next.request + unit, ceiling) }
  }
  const good = lowered(amounts, wish.goodLimit)
  if (keepsRatio(bound, good)) return good
  const enough = raised(good)
  return keepsRatio(bound, enough) ? enough : lowered(enough, wish.leastLimit)
}

function misfit(resource: string, what: 'request' | 'limit', { low, high }: Range): Misfit {
  const most = larger(high?.at ?? 0n, 0n)
  const shown = (amount: bigint) => formatQuantity(resource, amount)
  const why =
    `${low.by} needs a ${resource} ${what} of at least ${shown(low.at)}, ` +
    `and ${high?.by} leaves it ${most === 0n ? 'none' : `at most ${shown(most)}`}`
  return { kind: 'misfit', why }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
