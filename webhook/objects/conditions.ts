// The conditions of an object's status (meta/v1), as every object of Kubernetes has them.
import * as v from 'valibot'

const Condition = v.object({
  type: v.string(),
  status: v.string(),
  reason: v.nullish(v.string(), ''),
  message: v.nullish(v.string(), ''),
})

/** A field that may be left out, or null. */
export const Conditions = v.nullish(v.array(Condition), [])

export type Condition = v.InferOutput<typeof Condition>

/** @returns the condition of this type; `undefined` if nobody has set it yet */
export function conditionOf(
  conditions: readonly Condition[] | null | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((one) => one.type === type)
}
