// Jobs that fit on free ranks, as far as we know, and are not started: there is something about them that we do not know,
// such as a constraint that Flux hides from guests. For such a job the size grows step by step. If even every rank that the
// job may be given does not help, the job is set aside, and the size is what it would be without this. Pure.
import type { JobId } from '#flux/calls/job-list-calls.ts'
import {
  countIds,
  EMPTY_IDSET,
  type Idset,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { type FirstJob, type FirstJobFacts, firstJobs } from './first-jobs.ts'

/** How long it must last, and how long each step of the growth does. */
export const STEP_MS = 60_000

/** A job that is not started for so many steps with every rank that it may be given is set aside. */
export const HELP_STEPS = 5

/** The time between two readings counts only if it is not longer: in a longer time anything may have happened. */
const MAX_GAP_MS = 30_000

/** A job that was not first, or did not fit, for this time is looked at anew. */
const FORGET_MS = 60_000

/** Beyond this number no more jobs are set aside, and the size does not grow for others either. */
const MAX_SET_ASIDE = 20

/** A job that fits on free ranks and is not started, and what was done about it. */
export interface UnstartedJob {
  readonly id: JobId
  readonly queue: string | undefined
  /** Seconds since the epoch. */
  readonly submittedAt: number | undefined
  /** Open ranks with something free that it may be given, when it fitted last. */
  readonly freeNodes: number
  /** Whether it fits at this reading. */
  readonly fits: boolean
  /** The size that is wanted for it; `undefined` if it was set aside. */
  readonly size: number | undefined
  /** Whether the size grew for it: it does not if every rank that it may be given was there at once. */
  readonly isGrown: boolean
  /** Ranks that it may be given and that are not there. */
  readonly absentNodes: number
}

/** A job that fits and is not started. */
interface Watch {
  /** For how long it has fitted as the first of its queue, as far as readings show. */
  readonly stuckMs: number
  readonly seenAt: number
  readonly growth: Growth | undefined
  readonly shown: UnstartedJob
}

/** The growth of the size for a job. */
interface Growth {
  /** The size when it began. */
  readonly from: number
  readonly size: number
  /** Open ranks since then. */
  readonly open: Idset
  /** When the size or the open ranks grew last, by the job's `stuckMs`. */
  readonly grownAt: number
}

/** What was learnt of a job that was set aside. A rank that was in vain is not tried again for it. */
interface Learnt {
  /** Ranks that were idle when the job was set aside. */
  readonly idle: Idset
  /** Ranks that it could be given then. */
  readonly usable: Idset
}

const NOTHING: Learnt = { idle: EMPTY_IDSET, usable: EMPTY_IDSET }

export interface UnstartedPatience {
  readonly stepMs: number
  /** After this time a rank that was wanted is not expected any more. */
  readonly joinTimeoutMs: number
}

/** Finds such jobs, one reading after the other. After a restart it knows nothing and starts anew. */
export class UnstartedJobs {
  readonly #patience: UnstartedPatience
  #watches: ReadonlyMap<JobId, Watch> = new Map()
  /** Jobs that are set aside. */
  #setAside: ReadonlyMap<JobId, UnstartedJob> = new Map()
  /** Of jobs that are or were set aside. */
  #learnt: ReadonlyMap<JobId, Learnt> = new Map()
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(patience: UnstartedPatience) {
    this.#patience = patience
  }

  /** The time until the next reading does not count. */
  restart(): void {
    this.#lastAt = Number.NEGATIVE_INFINITY
  }

  /**
   * Takes a reading.
   *
   * @param now milliseconds of a clock that never goes back
   * @param published the size that was published last
   * @returns the jobs for which the size is to grow, and those that were set aside
   */
  observe(now: number, facts: FirstJobFacts, published: number): readonly UnstartedJob[] {
    this.#forget(now, facts)
    const watches = new Map(this.#watches)
    const setAside = new Map([...this.#setAside].map(([id, job]) => [id, { ...job, fits: false }]))
    const learnt = new Map(this.#learnt)
    const isSetAside = (first: FirstJob) =>
      setAside.has(first.job.id) && !isNewFor(learnt.get(first.job.id) ?? NOTHING, first)
    for (const first of firstJobs(facts, isSetAside)) {
      if (!first.fits) continue
      const { id } = first.job
      const known = setAside.get(id)
      const before = learnt.get(id) ?? NOTHING
      if (known !== undefined && isSetAside(first)) {
        setAside.set(id, { ...known, ...seenOf(first) })
        continue
      }
      setAside.delete(id)
      const watch = this.#watch(now, first, published)
      watches.set(id, watch)
      if (!this.#isInVain(watch, first)) continue
      watches.delete(id)
      setAside.set(id, { ...watch.shown, size: undefined })
      learnt.set(id, {
        idle: unionIdsets(before.idle, first.idle),
        usable: unionIdsets(before.usable, first.usable),
      })
    }
    this.#watches = watches
    this.#setAside = setAside
    this.#learnt = learnt
    this.#lastAt = now
    const growing = [...watches.values()].filter(({ growth }) => growth !== undefined)
    const shown = growing.map((watch) => ({ ...watch.shown, fits: watch.seenAt === now }))
    return [...shown, ...setAside.values()]
  }

  /** Jobs that do not wait any more, and those that have not fitted for long. */
  #forget(now: number, { waiting }: FirstJobFacts): void {
    if (this.#watches.size + this.#learnt.size === 0) return
    const listed = new Set<JobId>()
    for (const { id } of waiting.jobs) {
      if (this.#watches.has(id) || this.#learnt.has(id)) listed.add(id)
    }
    const isListed = ([id]: readonly [JobId, unknown]) => listed.has(id)
    const watches = [...this.#watches].filter(isListed)
    this.#watches = new Map(watches.filter(([, { seenAt }]) => now - seenAt <= FORGET_MS))
    this.#setAside = new Map([...this.#setAside].filter(isListed))
    this.#learnt = new Map([...this.#learnt].filter(isListed))
  }

  #watch(now: number, first: FirstJob, published: number): Watch {
    const { id, queue, submittedAt } = first.job
    const before = this.#watches.get(id)
    const passedMs = now - this.#lastAt
    // It was seen at the reading before, so it has waited all the time in between.
    const isCounted = before?.seenAt === this.#lastAt && passedMs <= MAX_GAP_MS
    const stuckMs = (before?.stuckMs ?? 0) + (isCounted ? passedMs : 0)
    const isTooMany = !this.#learnt.has(id) && this.#learnt.size >= MAX_SET_ASIDE
    const growth = isTooMany ? undefined : this.#grow(before?.growth, first, { stuckMs, published })
    const shown = {
      ...{ id, queue, submittedAt, ...seenOf(first), size: growth?.size },
      isGrown: growth !== undefined && growth.size > growth.from,
      absentNodes: countIds(subtractIdsets(first.usable, first.open)),
    }
    return { stuckMs, seenAt: now, growth, shown }
  }

  #grow(
    before: Growth | undefined,
    { usable, open }: FirstJob,
    { stuckMs, published }: { readonly stuckMs: number; readonly published: number },
  ): Growth | undefined {
    const steps = Math.floor(stuckMs / this.#patience.stepMs)
    if (steps === 0) return undefined
    const from = before?.from ?? Math.max(published, sizeWith(open))
    const size = Math.min(from + 2 ** steps - 1, sizeWith(usable))
    const hasGrown =
      before === undefined || size > before.size || !isEmpty(subtractIdsets(open, before.open))
    return {
      from,
      size,
      open: unionIdsets(open, before?.open ?? EMPTY_IDSET),
      grownAt: hasGrown ? stuckMs : before.grownAt,
    }
  }

  #isInVain({ growth, stuckMs }: Watch, { usable, open }: FirstJob): boolean {
    if (growth === undefined || growth.size < sizeWith(usable)) return false
    const isThere = isEmpty(subtractIdsets(usable, open))
    const { stepMs, joinTimeoutMs } = this.#patience
    const limitMs = HELP_STEPS * stepMs + (isThere ? 0 : joinTimeoutMs)
    return stuckMs - growth.grownAt >= limitMs
  }
}

function seenOf({ free }: FirstJob): Pick<UnstartedJob, 'freeNodes' | 'fits'> {
  return { freeNodes: countIds(free), fits: true }
}

/**
 * Whether a job that was set aside may start now after all: it may be given another rank (R grew, or a drain was lifted), or
 * a rank is idle that was absent or busy then. Ranks that were in vain before do not count, so it is tried only so often.
 */
function isNewFor({ idle, usable }: Learnt, first: FirstJob): boolean {
  return (
    !isEmpty(subtractIdsets(first.usable, usable)) || !isEmpty(subtractIdsets(first.idle, idle))
  )
}
