// Resource sets: R as Flux writes it (RFC 20), read into ranges of ranks. They are counted and subtracted without being
// expanded to single ranks. Hosts, properties, times, and children other than cores and GPUs are ignored.
import { FluxError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { toOneLine } from './id-scanner.ts'
import {
  countIds,
  EMPTY_IDSET,
  type IdRange,
  type Idset,
  isEmpty,
  joinRanges,
  parseIdset,
  subtractIdsets,
  sweep,
  unionIdsets,
} from './idset.ts'

/**
 * The most ranges of cores and GPUs, summed over the ranges of ranks, that one reading or subtraction may visit. A text of n
 * characters can describe n² of them. The limit is fifty ranges for each of 10,000 ranks that all differ. The most
 * fragmented recorded instance of this size needs 28,000. This work takes less than 50 ms, the limit for blocking the event
 * loop.
 */
const MAX_WORK = 500_000

/** The cores and GPUs of each rank from `first` to `last`. There is at least one core or GPU. */
export interface RankSegment extends IdRange {
  readonly cores: Idset
  readonly gpus: Idset
}

/** Resources by rank. Its segments ascend and do not overlap. */
export interface ResourceSet {
  readonly segments: readonly RankSegment[]
}

export const EMPTY_RESOURCE_SET: ResourceSet = { segments: [] }

/**
 * Reads R (RFC 20) from decoded JSON: `{ version: 1, execution: { R_lite: [{ rank, children: { core, gpu } }] } }`.
 *
 * `null` is the empty set, as Fluxion writes it, and so is `undefined`. A caller that requires a set must check for it. The
 * order of the entries is free, and entries for the same rank are added up. Children other than cores and GPUs are ignored,
 * and so are ranks without cores and GPUs.
 *
 * @throws FluxError `FLUX_PROTOCOL` with the path of the malformed part.
 */
export function parseResourceSet(value: unknown): ResourceSet {
  if (value === null || value === undefined) return EMPTY_RESOURCE_SET
  if (!isJsonObject(value)) throw broken('', 'an object or null', value)
  if (value.version !== 1) throw broken('version', '1', value.version)
  const { execution } = value
  if (!isJsonObject(execution)) throw broken('execution', 'an object', execution)
  const entries: unknown = execution.R_lite
  if (!Array.isArray(entries)) throw broken('execution.R_lite', 'an array', entries)

  const budget = new WorkBudget('Cannot read R')
  const segments: RankSegment[] = []
  for (const [index, entry] of entries.entries()) {
    parseEntry(entry, { path: `execution.R_lite[${index}]`, segments, budget })
  }
  segments.sort((a, b) => a.first - b.first)
  return { segments: mergeOverlaps(segments, budget) }
}

interface EntryContext {
  readonly path: string
  /** The segments of the entry are added here. */
  readonly segments: RankSegment[]
  readonly budget: WorkBudget
}

function parseEntry(entry: unknown, { path, segments, budget }: EntryContext): void {
  if (!isJsonObject(entry)) throw broken(path, 'an object', entry)
  const ranks = parseIds(entry.rank, `${path}.rank`)
  const { children } = entry
  if (!isJsonObject(children)) throw broken(`${path}.children`, 'an object', children)
  const cores = parseChildren(children, 'core', path)
  const gpus = parseChildren(children, 'gpu', path)
  if (isEmpty(cores) && isEmpty(gpus)) return
  budget.spend(ranks.ranges.length * (cores.ranges.length + gpus.ranges.length))
  for (const { first, last } of ranks.ranges) segments.push({ first, last, cores, gpus })
}

function parseChildren(children: JsonObject, type: 'core' | 'gpu', path: string): Idset {
  const ids = children[type]
  return ids === undefined ? EMPTY_IDSET : parseIds(ids, `${path}.children.${type}`)
}

function parseIds(value: unknown, path: string): Idset {
  if (typeof value !== 'string') throw broken(path, 'an idset', value)
  try {
    return parseIdset(value)
  } catch (cause) {
    if (!(cause instanceof FluxError)) throw cause
    throw new FluxError('FLUX_PROTOCOL', `Cannot read R at ${path}: ${cause.message}`, { cause })
  }
}

/**
 * Makes ascending segments disjoint. In all recorded sets they already are. If not, each turn adds the segments that do not
 * overlap each other, and leaves the others for the next turn.
 */
function mergeOverlaps(ascending: readonly RankSegment[], budget: WorkBudget): RankSegment[] {
  let merged: RankSegment[] = []
  let rest = ascending
  while (rest.length > 0) {
    const disjoint: RankSegment[] = []
    const overlapping: RankSegment[] = []
    for (const segment of rest) {
      const previous = disjoint.at(-1)
      if (previous === undefined || previous.last < segment.first) disjoint.push(segment)
      else overlapping.push(segment)
    }
    budget.spend(overlapping.length)
    merged =
      merged.length === 0 ? disjoint : combine(merged, disjoint, { how: unionIdsets, budget })
    rest = overlapping
  }
  return merged
}

/**
 * The cores and GPUs of `a` that are not in `b`.
 *
 * @throws FluxError `FLUX_PROTOCOL` if the two are too fragmented to be compared in reasonable time.
 */
export function subtractResourceSets(a: ResourceSet, b: ResourceSet): ResourceSet {
  const budget = new WorkBudget('Cannot subtract resource sets')
  return { segments: combine(a.segments, b.segments, { how: subtractIdsets, budget }) }
}

/** The part of a set that is on these ranks. */
export function restrictToRanks(set: ResourceSet, ranks: Idset): ResourceSet {
  const segments: RankSegment[] = []
  sweep(set.segments, ranks.ranges, (first, last, segment, range) => {
    if (segment === undefined || range === undefined) return
    segments.push({ first, last, cores: segment.cores, gpus: segment.gpus })
  })
  return { segments }
}

interface Combination {
  readonly how: (a: Idset, b: Idset) => Idset
  readonly budget: WorkBudget
}

function combine(
  a: readonly RankSegment[],
  b: readonly RankSegment[],
  { how, budget }: Combination,
): RankSegment[] {
  const segments: RankSegment[] = []
  sweep(a, b, (first, last, left, right) => {
    budget.spend(countRanges(left) + countRanges(right))
    const cores = how(left?.cores ?? EMPTY_IDSET, right?.cores ?? EMPTY_IDSET)
    const gpus = how(left?.gpus ?? EMPTY_IDSET, right?.gpus ?? EMPTY_IDSET)
    if (!isEmpty(cores) || !isEmpty(gpus)) segments.push({ first, last, cores, gpus })
  })
  return segments
}

function countRanges(segment: RankSegment | undefined): number {
  return segment === undefined ? 0 : segment.cores.ranges.length + segment.gpus.ranges.length
}

/** The ranks that have at least one core or GPU. */
export function ranksOf(set: ResourceSet): Idset {
  return joinRanges(set.segments)
}

/** The number of ranks with at least one core or GPU. `flux resource list` calls them nodes. */
export function countNodes(set: ResourceSet): number {
  return set.segments.reduce((count, { first, last }) => count + (last - first + 1), 0)
}

/** @throws FluxError `FLUX_PROTOCOL` if there are more than 2^53 − 1. */
export function countCores(set: ResourceSet): number {
  return countEach(set, ({ cores }) => cores)
}

/** @throws FluxError `FLUX_PROTOCOL` if there are more than 2^53 − 1. */
export function countGpus(set: ResourceSet): number {
  return countEach(set, ({ gpus }) => gpus)
}

function countEach(set: ResourceSet, childrenOf: (segment: RankSegment) => Idset): number {
  let count = 0
  for (const segment of set.segments) {
    count += (segment.last - segment.first + 1) * countIds(childrenOf(segment))
  }
  if (!Number.isSafeInteger(count)) {
    const message = `Cannot count resources: expected at most ${Number.MAX_SAFE_INTEGER}, got more`
    throw new FluxError('FLUX_PROTOCOL', message)
  }
  return count
}

/** Counts the work of one operation, and ends the operation when it exceeds the limit. */
class WorkBudget {
  readonly #action: string
  #left = MAX_WORK

  constructor(action: string) {
    this.#action = action
  }

  spend(work: number): void {
    this.#left -= work
    if (this.#left >= 0) return
    const message = `${this.#action}: expected ranges that take at most ${MAX_WORK} steps to compare, got more`
    throw new FluxError('FLUX_PROTOCOL', message)
  }
}

function broken(path: string, expected: string, value: unknown): FluxError {
  const where = path === '' ? '' : ` at ${path}`
  return new FluxError(
    'FLUX_PROTOCOL',
    `Cannot read R${where}: expected ${expected}, got ${describe(value)}`,
  )
}

function describe(value: unknown): string {
  if (typeof value === 'string') return toOneLine(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === null || value === undefined ? 'nothing' : `a value of type ${typeof value}`
}
