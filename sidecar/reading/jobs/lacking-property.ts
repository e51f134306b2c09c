// Why a constraint accepts no rank, where that is plain: it asks for a property that no rank has. Pure.
import type { Constraint } from '#flux/calls/constraint.ts'
import { EMPTY_IDSET, type Idset, isEmpty } from '#flux/sets/idset.ts'

/** The first property that a constraint needs in any case and that no rank has. `undefined` if there is none. */
export function lackingProperty(
  constraint: Constraint,
  properties: ReadonlyMap<string, Idset>,
): string | undefined {
  switch (constraint.kind) {
    case 'properties':
      return constraint.with.find((name) => isEmpty(properties.get(name) ?? EMPTY_IDSET))
    case 'and':
      for (const one of constraint.of) {
        const lacking = lackingProperty(one, properties)
        if (lacking !== undefined) return lacking
      }
      return undefined
    default:
      return undefined
  }
}
