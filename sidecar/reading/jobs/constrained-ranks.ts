// Which ranks a job's constraint (RFC 31) accepts, by what R says of its ranks: their properties and their hosts.
import type { Constraint } from '#flux/calls/constraint.ts'
import type { SchedStatus } from '#flux/calls/resource-calls.ts'
import { FluxError } from '#flux/errors.ts'
import { expandHosts, hostsIn } from '#flux/sets/hostlist.ts'
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import {
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { JobRequest } from '#reading/facts.ts'
import { type Unknown, unknown } from '#reading/unknown.ts'
import { digestOf } from './digest.ts'
import { lackingProperty } from './lacking-property.ts'

/** What is known of the ranks of R. */
export interface RankAttributes {
  /** Every rank of R. */
  readonly all: Idset
  readonly properties: ReadonlyMap<string, Idset>
  /** The hosts of the ranks, as R has them. */
  readonly hostlists: readonly string[]
  /** Ranks by host, worked out when it is first needed: several ranks may be on one host. */
  hosts(): ReadonlyMap<string, readonly number[]>
}

/** The attributes of the ranks in a scheduler's answer. */
export function rankAttributes({ all, hostlists, properties }: SchedStatus): RankAttributes {
  const ranks = ranksOf(all)
  let hosts: ReadonlyMap<string, readonly number[]> | undefined
  return {
    all: ranks,
    properties,
    hostlists,
    hosts: () => {
      hosts ??= ranksByHost(hostlists, listIds(ranks))
      return hosts
    },
  }
}

/** @throws FluxError `FLUX_PROTOCOL` if the hosts are not those of the ranks */
function ranksByHost(
  hostlists: readonly string[],
  ranks: Int32Array,
): ReadonlyMap<string, readonly number[]> {
  const hosts = hostlists.flatMap((list) => expandHosts(list))
  if (hosts.length !== ranks.length) {
    const message = `Cannot find hosts in R: expected ${ranks.length} hosts, got ${hosts.length}`
    throw new FluxError('FLUX_PROTOCOL', message)
  }
  const found = new Map<string, number[]>()
  for (const [index, host] of hosts.entries()) {
    const known = found.get(host)
    const rank = ranks[index] ?? 0
    if (known === undefined) found.set(host, [rank])
    else known.push(rank)
  }
  return found
}

/**
 * Steps that the constraints of one reading may take: each looks at a range of ranks or at a host. They take some 10 ms. A
 * constraint beyond it is left for the next reading.
 */
const MAX_STEPS = 100_000

/** A host is written and looked up, which takes longer than a range. */
const STEPS_PER_HOST = 2

/** Ranges of ranks in all the sets that are kept: some 5 MB. */
const MAX_RANGES = 100_000

const TOO_MANY = unknown(
  'the constraints of the pending jobs are too many and too different: some are worked out at the next readings',
)

const TOO_LARGE = unknown('a constraint of a pending job takes too long to be worked out')

/** Works out which ranks constraints accept: each once as long as R stays the same, and for a bounded time at each reading. */
export class AcceptedRanks {
  #attributes: RankAttributes | undefined
  #isSimple = false
  #known = new Map<Constraint, Idset | Unknown>()
  #unused: ReadonlyMap<Constraint, Idset | Unknown> = new Map()
  /** One object for all sets that are alike. */
  readonly #sets = new Map<string, Idset>()
  #stepsLeft = 0
  #rangesLeft = MAX_RANGES

  /**
   * Begins a reading. What is not asked for in it is forgotten at the next one.
   *
   * @param isSimple whether constraints are read as {@link Evaluation} says of sched-simple. Default: as RFC 31 has them
   */
  restart(
    attributes: RankAttributes,
    { isSimple = false }: { readonly isSimple?: boolean } = {},
  ): void {
    const isSame =
      this.#attributes !== undefined &&
      areEqual(this.#attributes, attributes) &&
      this.#isSimple === isSimple
    this.#isSimple = isSimple
    this.#unused = isSame ? this.#known : new Map()
    this.#known = new Map()
    if (!isSame) this.#attributes = attributes
    this.#stepsLeft = MAX_STEPS
    this.#forgetSets()
  }

  /** @throws FluxError `FLUX_PROTOCOL` if the hosts of R are not those of the ranks */
  find(constraint: Constraint): Idset | Unknown {
    const known = this.#known.get(constraint) ?? this.#unused.get(constraint)
    const ranks = known ?? this.#workOut(constraint)
    if (ranks !== TOO_MANY) this.#known.set(constraint, ranks)
    return ranks
  }

  /** The property that a constraint without ranks lacks, as a part of the job's request. */
  lackIn(constraint: Constraint, ranks: Idset): Pick<JobRequest, 'lackingProperty'> {
    if (!isEmpty(ranks) || this.#attributes === undefined) return {}
    const lacking = lackingProperty(constraint, this.#attributes.properties)
    return lacking === undefined ? {} : { lackingProperty: lacking }
  }

  #workOut(constraint: Constraint): Idset | Unknown {
    const steps = this.#stepsLeft
    if (this.#attributes === undefined || steps <= 0) return TOO_MANY
    const evaluation = new Evaluation(this.#attributes, steps, this.#isSimple)
    const ranks = evaluation.ranksOf(constraint)
    this.#stepsLeft = evaluation.stepsLeft - ranks.ranges.length
    if (this.#stepsLeft > 0) return this.#share(ranks)
    return steps === MAX_STEPS ? TOO_LARGE : TOO_MANY
  }

  #share(ranks: Idset): Idset | Unknown {
    const digest = digestOf(formatIdset(ranks))
    const known = this.#sets.get(digest)
    if (known !== undefined) return known
    const { length } = ranks.ranges
    if (length > this.#rangesLeft) return TOO_MANY
    this.#rangesLeft -= length
    this.#sets.set(digest, ranks)
    return ranks
  }

  #forgetSets(): void {
    const used = new Set<Idset | Unknown>(this.#unused.values())
    this.#rangesLeft = MAX_RANGES
    for (const [digest, ranks] of this.#sets) {
      if (used.has(ranks)) this.#rangesLeft -= ranks.ranges.length
      else this.#sets.delete(digest)
    }
  }
}

/** The ranks of R that a constraint accepts. */
export function acceptedRanks(constraint: Constraint, attributes: RankAttributes): Idset {
  return new Evaluation(attributes, Number.POSITIVE_INFINITY, false).ranksOf(constraint)
}

/**
 * One evaluation. Once its steps are used up, what it returns means nothing.
 *
 * sched-simple since 0.84 differs from RFC 31 (Rv1Set): `not` negates the first of its values alone, and `or` without values
 * accepts no rank.
 */
class Evaluation {
  readonly #attributes: RankAttributes
  readonly #isSimple: boolean
  stepsLeft: number

  constructor(attributes: RankAttributes, steps: number, isSimple: boolean) {
    this.#attributes = attributes
    this.#isSimple = isSimple
    this.stepsLeft = steps
  }

  ranksOf(constraint: Constraint): Idset {
    this.stepsLeft -= 1
    if (this.stepsLeft <= 0) return EMPTY_IDSET
    const { all, properties } = this.#attributes
    switch (constraint.kind) {
      case 'properties': {
        const having = (name: string) => properties.get(name) ?? EMPTY_IDSET
        const wanted = this.#fold(constraint.with.map(having), intersectIdsets, all)
        return this.#fold(constraint.without.map(having), subtractIdsets, wanted)
      }
      case 'hosts':
        return intersectIdsets(this.#ranksOfHosts(constraint.hostlists), all)
      case 'ranks':
        return this.#fold([constraint.ranks], intersectIdsets, all)
      case 'and':
        return this.#allOf(constraint.of)
      case 'or': {
        const { of } = constraint
        const acceptsAll = of.length === 0 && !this.#isSimple
        return acceptsAll ? all : this.#fold(this.#each(of), unionIdsets, EMPTY_IDSET)
      }
      case 'not': {
        const of = this.#isSimple ? constraint.of.slice(0, 1) : constraint.of
        return this.#fold([this.#allOf(of)], subtractIdsets, all)
      }
    }
  }

  #ranksOfHosts(hostlists: readonly string[]): Idset {
    const known = this.#attributes.hosts()
    const ranks = new Set<number>()
    for (const list of hostlists) {
      for (const host of hostsIn(list)) {
        this.stepsLeft -= STEPS_PER_HOST
        if (this.stepsLeft <= 0) return EMPTY_IDSET
        for (const rank of known.get(host) ?? []) ranks.add(rank)
      }
    }
    return idsetOf([...ranks].sort((a, b) => a - b))
  }

  #allOf(constraints: readonly Constraint[]): Idset {
    return this.#fold(this.#each(constraints), intersectIdsets, this.#attributes.all)
  }

  /** One after the other, so that only two sets are in memory. */
  *#each(constraints: readonly Constraint[]): Generator<Idset> {
    for (const one of constraints) yield this.ranksOf(one)
  }

  #fold(sets: Iterable<Idset>, add: (one: Idset, other: Idset) => Idset, first: Idset): Idset {
    let sum = first
    for (const set of sets) {
      this.stepsLeft -= sum.ranges.length + set.ranges.length
      if (this.stepsLeft <= 0) return EMPTY_IDSET
      sum = add(sum, set)
    }
    return sum
  }
}

/** Whether constraints accept the same ranks by both. */
function areEqual(one: RankAttributes, other: RankAttributes): boolean {
  if (one === other) return true
  if (!isSameSet(one.all, other.all) || one.properties.size !== other.properties.size) return false
  for (const [name, ranks] of one.properties) {
    const others = other.properties.get(name)
    if (others === undefined || !isSameSet(ranks, others)) return false
  }
  const { hostlists } = other
  return (
    one.hostlists.length === hostlists.length &&
    one.hostlists.every((list, index) => list === hostlists[index])
  )
}

function isSameSet({ ranges: a }: Idset, { ranges: b }: Idset): boolean {
  return (
    a.length === b.length &&
    a.every(({ first, last }, index) => first === b[index]?.first && last === b[index]?.last)
  )
}
