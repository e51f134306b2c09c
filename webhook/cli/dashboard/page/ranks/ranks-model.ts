// What is known of each rank: its state, and who runs there. Pure.
import { plural, spellEnd, spellRanks } from '#explaining/wording.ts'
import { countIds, hasId, highestId, type Idset, parseIdset } from '#flux/sets/idset.ts'
import type { ReadExplanation } from '../../../input/cluster/explanation.ts'
import { RANK_WORDS } from '../../../output/rank-words.ts'

export interface StateOfRanks {
  readonly state: string
  readonly words: string
  readonly ranks: Idset
  readonly count: number
  /** `ranks 0-6`. */
  readonly spelt: string
}

interface JobOnRanks {
  readonly id: string
  readonly words: string
  readonly ranks: Idset
}

export class RanksModel {
  /** In the order of the legend. */
  readonly states: readonly StateOfRanks[]
  /** 1 + the highest rank. */
  readonly size: number
  readonly #jobs: readonly JobOnRanks[]
  readonly #areAllJobs: boolean
  readonly #drains: readonly { readonly ranks: Idset; readonly reason: string }[]

  constructor({ ranks = [], running, drains }: ReadExplanation) {
    const order = [...RANK_WORDS.keys()]
    const placeOf = ({ state }: { readonly state: string }) =>
      RANK_WORDS.has(state) ? order.indexOf(state) : order.length
    this.states = [...ranks].sort((one, other) => placeOf(one) - placeOf(other)).map(toState)
    this.size = Math.max(0, ...this.states.map((one) => 1 + (highestId(one.ranks) ?? -1)))
    this.#jobs = (running?.listed ?? []).map((job) => ({
      id: job.id,
      words: describeJob(job),
      ranks: parseIdset(job.ranks),
    }))
    this.#areAllJobs = running?.areAll === true
    this.#drains = drains.map(({ ranks: drained, reason }) => ({
      ranks: parseIdset(drained),
      reason,
    }))
  }

  stateOf(rank: number): StateOfRanks | undefined {
    return this.states.find(({ ranks }) => hasId(ranks, rank))
  }

  /** `rank 9: busy; job ƒ2aK of user 1000, ends within 41 min`. */
  describe(rank: number): string {
    const state = this.stateOf(rank)
    const jobs = this.#jobs.filter(({ ranks }) => hasId(ranks, rank))
    const drain = this.#drains.find(({ ranks }) => hasId(ranks, rank))
    const shown = jobs.slice(0, MAX_JOBS).map(({ words }) => words)
    const more = jobs.length - shown.length
    const isBusy = state !== undefined && BUSY.has(state.state)
    return [
      `rank ${rank}: ${state?.words ?? 'not in R'}`,
      ...(drain === undefined ? [] : [`drained: ${drain.reason || 'no reason given'}`]),
      ...shown,
      ...(more > 0 ? [`and ${plural(more, 'more job')}`] : []),
      ...(isBusy && jobs.length === 0 && !this.#areAllJobs ? ['its jobs are not listed'] : []),
    ].join('; ')
  }
}

/** More on one rank are counted. */
const MAX_JOBS = 3

const BUSY: ReadonlySet<string> = new Set(['busy', 'draining', 'drained busy'])

function toState({ state, ranks }: { readonly state: string; readonly ranks: string }) {
  const set = parseIdset(ranks)
  return {
    state,
    words: RANK_WORDS.get(state) ?? state,
    ranks: set,
    count: countIds(set),
    spelt: spellRanks(set),
  }
}

type RunningJob = NonNullable<ReadExplanation['running']>['listed'][number]

function describeJob({ id, user, endsInSeconds }: RunningJob): string {
  const owner = user === null ? '' : ` of user ${user}`
  const end = endsInSeconds === null ? '' : `, ${spellEnd(endsInSeconds)}`
  return `job ${id}${owner}${end}`
}
