// Constraints of a job (RFC 31): which ranks it accepts, as a tree that was checked and bounded. Which ranks those are is
// worked out elsewhere (reading/jobs/constrained-ranks.ts).

import { FluxError } from '../errors.ts'
import { countHosts } from '../sets/hostlist.ts'
import { EMPTY_IDSET, type Idset, parseIdset, unionIdsets } from '../sets/idset.ts'
import { isJsonObject } from '../wire/payload.ts'
import { show } from './answer.ts'

export type Constraint =
  /** Ranks that have all of `with` and none of `without`. */
  | {
      readonly kind: 'properties'
      readonly with: readonly string[]
      readonly without: readonly string[]
    }
  /** Hostlists as they were written: a few characters may stand for many hosts. */
  | { readonly kind: 'hosts'; readonly hostlists: readonly string[] }
  | { readonly kind: 'ranks'; readonly ranks: Idset }
  /** All of them; every rank if there are none. */
  | { readonly kind: 'and'; readonly of: readonly Constraint[] }
  /** Any of them; every rank if there are none. */
  | { readonly kind: 'or'; readonly of: readonly Constraint[] }
  /** Not all of them; no rank if there are none. */
  | { readonly kind: 'not'; readonly of: readonly Constraint[] }

/** Deeper and larger than any that a person writes. */
const MAX_DEPTH = 16
const MAX_VALUES = 256

/** Hosts of one constraint: as many as the largest instance that we are tested with. */
const MAX_HOSTS = 10_000

/** Characters of one idset or hostlist. */
const MAX_TEXT = 16_384

/**
 * Reads a constraint object, `{ operator: [values] }`. `{}` accepts every rank.
 *
 * @throws FluxError `FLUX_PROTOCOL` if it is of another shape, or larger than any that a person writes
 */
export function parseConstraint(value: unknown): Constraint {
  return new Parser().parse(value, 'constraints', 0)
}

class Parser {
  #valuesLeft = MAX_VALUES

  parse(value: unknown, path: string, depth: number): Constraint {
    if (depth >= MAX_DEPTH) throw broken(path, `at most ${MAX_DEPTH} levels`, value)
    if (!isJsonObject(value)) throw broken(path, 'a constraint', value)
    const operators = Object.entries(value)
    const [first] = operators
    if (first === undefined) return { kind: 'and', of: [] }
    if (operators.length > 1) throw broken(path, 'one operator', value)
    const [operator, values] = first
    const place = `${path}.${operator}`
    if (!Array.isArray(values)) throw broken(place, 'a list of values', values)
    this.#valuesLeft -= values.length
    if (this.#valuesLeft < 0) throw broken(place, `at most ${MAX_VALUES} values`, values.length)
    switch (operator) {
      case 'and':
      case 'or':
      case 'not':
        return {
          kind: operator,
          of: values.map((one, index) => this.parse(one, `${place}[${index}]`, depth + 1)),
        }
      case 'properties': {
        const names = textsOf(values, place)
        const isNegated = (name: string) => name.startsWith('^')
        return {
          kind: 'properties',
          with: names.filter((name) => !isNegated(name)),
          without: names.filter(isNegated).map((name) => name.slice(1)),
        }
      }
      case 'hostlist': {
        const hostlists = textsOf(values, place)
        const count = hostlists.reduce((sum, list) => sum + countHosts(list), 0)
        if (count > MAX_HOSTS) throw broken(place, `at most ${MAX_HOSTS} hosts`, count)
        return { kind: 'hosts', hostlists }
      }
      case 'ranks':
        return {
          kind: 'ranks',
          ranks: textsOf(values, place).map(parseIdset).reduce(unionIdsets, EMPTY_IDSET),
        }
      default:
        throw broken(path, 'and, or, not, properties, hostlist or ranks', operator)
    }
  }
}

function textsOf(values: readonly unknown[], path: string): readonly string[] {
  return values.map((value, index) => {
    if (typeof value === 'string' && value.length <= MAX_TEXT) return value
    throw broken(`${path}[${index}]`, `a string of at most ${MAX_TEXT} characters`, value)
  })
}

function broken(path: string, expected: string, got: unknown): FluxError {
  const message = `Cannot read jobspec at ${path}: expected ${expected}, got ${show(got)}`
  return new FluxError('FLUX_PROTOCOL', message)
}
