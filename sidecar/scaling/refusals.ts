// Tells apart why the scheduler refused jobs, which says of both with the same words: a job that R could satisfy was refused
// because too few nodes were up, and starts if it is submitted again; what R does not have, it never gets. Pure.
import { EMPTY_IDSET, type Idset, intersectIdsets } from '#flux/sets/idset.ts'
import { EMPTY_RESOURCE_SET, ranksOf } from '#flux/sets/resource-set.ts'
import type { EndedJob, Facts } from '#reading/facts.ts'
import { isRefused } from '#reading/jobs/failed-jobs.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { nodeCoresOf, waysOf } from './placement/need.ts'
import { type Domain, Placement } from './placement/placement.ts'

/** Refused jobs by cause. */
export interface Refusals {
  /** More nodes were asked for than were up, but R has them. */
  readonly forNodes: readonly EndedJob[]
  /** R does not have what was asked for. */
  readonly forGood: readonly EndedJob[]
  /** It is not known which of the two. */
  readonly unclear: readonly EndedJob[]
  /** Why, if there are some. */
  readonly reason: Unknown | undefined
}

type RefusalFacts = Pick<Facts, 'all' | 'failed' | 'fluxion' | 'queues'>

const GUEST = unknown(
  'Flux does not show guests the GPUs and constraints of refused jobs: run the sidecar with the UID of the broker (annotation ' +
    'flux-metrics/run-as-user)',
)

const TOO_MANY = unknown('the refused jobs are too many and too different to compare with R')

/** Steps of the placement for all refused jobs: some 20 ms, in one turn. Jobs that are alike cost few. */
const MAX_STEPS = 100_000

const known = new WeakMap<RefusalFacts, Refusals | Unknown>()

/** The refused jobs of a snapshot; worked out once. Unknown if Flux does not list failed jobs. */
export function refusalsOf(facts: RefusalFacts): Refusals | Unknown {
  const refusals = known.get(facts) ?? sortRefusals(facts)
  known.set(facts, refusals)
  return refusals
}

function sortRefusals(facts: RefusalFacts): Refusals | Unknown {
  if (isUnknown(facts.failed)) return facts.failed
  const forNodes: EndedJob[] = []
  const forGood: EndedJob[] = []
  const unclear: EndedJob[] = []
  let reason: Unknown | undefined
  const refused = facts.failed.filter(isRefused)
  if (refused.length === 0) return { forNodes, forGood, unclear, reason }
  const causeOf = causesIn(facts)
  for (const job of refused) {
    const cause = causeOf(job)
    if (cause === 'nodes') forNodes.push(job)
    else if (cause === 'R') forGood.push(job)
    else {
      unclear.push(job)
      reason ??= cause
    }
  }
  return { forNodes, forGood, unclear, reason }
}

/** What a refused job asked for too much of. */
type Cause = 'nodes' | 'R' | Unknown

function causesIn({ all, fluxion, queues }: RefusalFacts): (job: EndedJob) => Cause {
  const everyRank = ranksOf(all)
  // Nothing is free: no job is placed, so that none takes the place of another.
  const placement = new Placement(all, EMPTY_RESOURCE_SET, { steps: MAX_STEPS })
  const domains = new Domains(placement)
  const nodeCores = nodeCoresOf(all)
  return (job) => {
    const { request, queue = '' } = job
    // Other schedulers, and Fluxion before it told its settings, compare a job with all of R, up or not.
    if (fluxion === undefined) return 'R'
    if (isUnknown(request)) return request
    const ways = waysOf(job, nodeCores)
    if (ways === undefined) return GUEST
    const ofQueue = queues.get(queue)?.ranks ?? everyRank
    const domain = domains.find(ofQueue, request?.ranks)
    const place = domain && placement.place(ways, domain)
    if (place === undefined || place.kind === 'not placed') return TOO_MANY
    if (place.kind === 'infeasible') return 'R'
    return request === undefined ? causeForGuest(job) : 'nodes'
  }
}

/** One domain for all jobs of a queue with the same constraint: what is learnt of it holds for all of them. */
class Domains {
  readonly #placement: Placement
  readonly #known = new Map<Idset, Map<Idset | undefined, Domain>>()

  constructor(placement: Placement) {
    this.#placement = placement
  }

  /**
   * @param accepted the ranks that a job accepts; `undefined`: every rank
   * @returns `undefined` if the steps are used up
   */
  find(ofQueue: Idset, accepted: Idset | undefined): Domain | undefined {
    const ofSameQueue = this.#known.get(ofQueue) ?? new Map<Idset | undefined, Domain>()
    this.#known.set(ofQueue, ofSameQueue)
    const known = ofSameQueue.get(accepted)
    if (known !== undefined) return known
    const steps = ofQueue.ranges.length + (accepted?.ranges.length ?? 0)
    if (accepted !== undefined && !this.#placement.spend(steps)) return undefined
    const ranks = accepted === undefined ? ofQueue : intersectIdsets(ofQueue, accepted)
    const domain = { ranks, usable: EMPTY_IDSET, startable: EMPTY_IDSET }
    ofSameQueue.set(accepted, domain)
    return domain
  }
}

/** The cause of refusing a job that R could satisfy, as far as guests see. */
function causeForGuest({ nnodes, ncores, upThen = 0 }: EndedJob): Cause {
  // Fluxion compares only a number of nodes with those that are up. It refused cores for a reason that guests do not see.
  if (nnodes === undefined) return ncores === undefined ? GUEST : 'R'
  return nnodes > upThen ? 'nodes' : GUEST
}
