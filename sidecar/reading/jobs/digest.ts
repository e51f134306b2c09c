// Short names for values, to find equal ones: the text of a value may be as large as the value.
import { hash } from 'node:crypto'
import type { Constraint } from '#flux/calls/constraint.ts'
import { formatIdset } from '#flux/sets/idset.ts'

/** Equal for equal texts, and for no others. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64')
}

/** A text that no other constraint has. Sets of ranks are written as Flux writes them, which is quick and short. */
export function textOfConstraint(constraint: Constraint): string {
  switch (constraint.kind) {
    case 'properties':
      return JSON.stringify(['properties', constraint.with, constraint.without])
    case 'hosts':
      return JSON.stringify(['hosts', constraint.hostlists])
    case 'ranks':
      return `ranks:${formatIdset(constraint.ranks)}`
    default:
      return `${constraint.kind}(${constraint.of.map(textOfConstraint).join(';')})`
  }
}
