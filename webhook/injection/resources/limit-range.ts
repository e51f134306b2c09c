// LimitRanges (core/v1): what they demand of each container and of each pod, as the admission plugin LimitRanger does. Pure.
import * as v from 'valibot'
import { type Pod, Quantities } from '../../objects/pod.ts'
import { parseQuantity } from '../../objects/quantity.ts'
import type { Bound } from './bound.ts'
import { NOTHING, podTotal } from './totals.ts'

export const LimitRangeSchema = v.looseObject({
  metadata: v.looseObject({ name: v.string() }),
  spec: v.looseObject({
    limits: v.nullish(
      v.array(
        v.looseObject({
          type: v.string(),
          min: Quantities,
          max: Quantities,
          maxLimitRequestRatio: Quantities,
          default: Quantities,
          defaultRequest: Quantities,
        }),
      ),
    ),
  }),
})

export type LimitRange = v.InferOutput<typeof LimitRangeSchema>

/** What a LimitRange sets where a container has no amounts of its own. */
export interface Default {
  readonly request: bigint | undefined
  readonly limit: bigint | undefined
}

/** The bounds of one resource. Items for volumes (type PersistentVolumeClaim) say nothing of pods. */
export function limitRangeBounds(
  { metadata, spec }: LimitRange,
  pod: Pod,
  resource: string,
): readonly Bound[] {
  const by = `LimitRange "${metadata.name}"`
  return (spec.limits ?? []).flatMap((item): readonly Bound[] => {
    const min = quantityIn(item.min, resource)
    const max = quantityIn(item.max, resource)
    const ratio = quantityIn(item.maxLimitRequestRatio, resource)
    const bound = {
      ...(min !== undefined && { min }),
      ...(max !== undefined && { maxRequest: max, maxLimit: max }),
      ...(ratio !== undefined && { ratio }),
    }
    if (Object.keys(bound).length === 0) return []
    if (item.type === 'Container') return [{ by, requests: NOTHING, limits: NOTHING, ...bound }]
    if (item.type !== 'Pod') return []
    const [requests, limits] = [
      podTotal(pod, 'requests', resource),
      podTotal(pod, 'limits', resource),
    ]
    return [{ by, requests, limits, ...bound }]
  })
}

/** The resources that LimitRanger would set in a container that does not, each with the first default. */
export function defaultsOf(limitRanges: readonly LimitRange[]): ReadonlyMap<string, Default> {
  const defaults = new Map<string, Default>()
  for (const item of limitRanges.flatMap(({ spec }) => spec.limits ?? [])) {
    if (item.type !== 'Container') continue
    for (const resource of Object.keys({ ...item.default, ...item.defaultRequest })) {
      const known = defaults.get(resource)
      defaults.set(resource, {
        request: known?.request ?? quantityIn(item.defaultRequest, resource),
        limit: known?.limit ?? quantityIn(item.default, resource),
      })
    }
  }
  return defaults
}

export function quantityIn(
  amounts: v.InferOutput<typeof Quantities>,
  resource: string,
): bigint | undefined {
  const amount = amounts?.[resource]
  return amount === undefined ? undefined : parseQuantity(String(amount))
}
