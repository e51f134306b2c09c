// An hour of a simulated MiniCluster with its HPA, on a simulated clock: what its sidecar would explain at the end of it, by the
// sidecar's own code.
import { addDetails, DETAILS, type DetailedExplanation } from '#explaining/details.ts'
import { explain } from '#explaining/explanation.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import { isEmpty } from '#flux/sets/idset.ts'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import type { Facts } from '#reading/facts.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import type { DrainPlan } from '#scaling/drains/drain-before-shrink.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import type { JobRequest } from '#simulation/jobs/job.ts'
import { simulatedFacts } from '../../../webhook/cli/simulate/simulated-facts.ts'

const STEP_SECONDS = 10
const SYNC_STEPS = 3
/** From a new size until the broker of its pod is up. */
const START_STEPS = 3
/** The HPA shrinks to the largest size that it was told in so many steps. */
const WINDOW_STEPS = 12

const NAME = 'default/flux-sample'

export interface PastHourOptions {
  readonly instance: Omit<InstanceOptions, 'now'> & { readonly up: number }
  /** When the hour ends (ISO 8601). */
  readonly until: string
  readonly seconds?: number
  readonly drains?: boolean
  /** Jobs by the second in which they are submitted. */
  readonly jobs: ReadonlyMap<number, readonly JobRequest[]>
  /** What happens else, by the second. */
  readonly acts?: ReadonlyMap<number, (instance: Instance) => void>
  /** When Flux was not read, in seconds, and why. */
  readonly outages?: readonly {
    readonly from: number
    readonly to: number
    readonly reason: string
  }[]
  /** The facts of each reading. */
  readonly change?: (facts: Facts) => Partial<Facts>
  /** The largest size that the HPA sets. */
  readonly most?: number
}

/** Runs it. */
export function pastHour(options: PastHourOptions): DetailedExplanation {
  const { until, seconds = 3_600, jobs, acts, outages = [], change } = options
  const end = Date.parse(until)
  const begin = end - seconds * 1000
  const instance = new Instance({ ...options.instance, now: new Date(begin) })
  const maker = new SnapshotMaker({
    patience: { idleGraceMs: 60_000 },
    drains: options.drains ? { instance: NAME } : undefined,
  })
  const lastHour = new LastHour(begin)
  const hpa = new Hpa(options.instance.up, options.most ?? options.instance.maxSize)
  let snapshot: Snapshot | undefined
  for (let second = 0; second <= seconds; second += 1) {
    const now = begin + second * 1000
    instance.tick(now)
    for (const job of jobs.get(second) ?? []) instance.submit(job)
    acts?.get(second)?.(instance)
    if (second % STEP_SECONDS !== 0) continue
    const outage = outages.find(({ from, to }) => second >= from && second < to)
    if (outage !== undefined) {
      lastHour.noteError(outage.reason, now)
      snapshot = undefined
      maker.restart()
      continue
    }
    const facts = { ...simulatedFacts(instance, 1), runningJobs: runningJobs(instance) }
    const made = maker.make({ ...facts, ...withUsers(facts), ...change?.(facts) }, now)
    snapshot = made.snapshot
    if (made.drains !== undefined) carryOut(instance, made.drains)
    lastHour.noteSnapshot(snapshot, now)
    const size = publishedSize(snapshot.sizes)
    if (hpa.step(typeof size === 'number' ? size : undefined))
      maker.noteAnswer(snapshot, now, 'hpa')
    instance.resize(hpa.up)
  }
  if (snapshot === undefined) throw new Error('Cannot explain: the hour ends with an outage')
  const now = new Date(end + 1_000)
  const sources = {
    ...{ snapshot, now, metrics: BUILTIN_METRICS },
    lastHour: { explain: () => lastHour.explain(now.getTime()) },
  }
  return addDetails(explain(snapshot, now), new Set(DETAILS), sources)
}

/** Far simpler than the real one: it grows at once, shrinks late, and pods take a while. */
class Hpa {
  /** How many pods are up. */
  up: number
  readonly #most: number
  #size: number
  #starting = 0
  #step = 0
  #told: number[] = []

  constructor(size: number, most: number) {
    this.up = size
    this.#size = size
    this.#most = most
  }

  /** @returns whether it asked */
  step(told: number | undefined): boolean {
    this.#step += 1
    if (this.#starting > 0) {
      this.#starting -= 1
      if (this.#starting === 0) this.up = this.#size
    }
    if (told === undefined) return false
    this.#told = [...this.#told, told].slice(-WINDOW_STEPS)
    if (this.#step % SYNC_STEPS !== 0) return false
    const wanted = Math.min(Math.max(...this.#told), this.#most)
    if (wanted > this.#size) this.#starting = START_STEPS
    else this.up = Math.min(this.up, wanted)
    this.#size = wanted
    return true
  }
}

function carryOut(instance: Instance, { drain, undrain, preparing }: DrainPlan): void {
  const isDrained = (rank: number) => instance.nodes[rank]?.drain !== undefined
  if (!isEmpty(undrain)) instance.undrain([...listIds(undrain)].filter(isDrained))
  const ranks = [...listIds(drain)].filter((rank) => !isDrained(rank))
  if (ranks.length > 0 && preparing !== undefined) {
    instance.drain(ranks, drainReason(NAME, preparing))
  }
}

/** The simulation has one user; a few make a livelier picture. */
function userOf(id: number | bigint): number {
  return 1000 + Number(BigInt(id) % 7n)
}

function withUsers({ waiting, highestJob }: Facts): Partial<Facts> {
  return {
    ...(highestJob && { highestJob: { ...highestJob, userid: userOf(highestJob.id) } }),
    waiting:
      waiting.kind === 'known'
        ? { ...waiting, jobs: waiting.jobs.map((job) => ({ ...job, userid: userOf(job.id) })) }
        : waiting,
  }
}

function runningJobs(instance: Instance): Facts['runningJobs'] {
  const jobs = [...instance.running].reverse().map((job) => {
    const ranks = job.allocations.map(({ node }) => node.rank).sort((a, b) => a - b)
    const started = job.times.RUN ?? instance.now
    return {
      id: job.id,
      userid: userOf(job.id),
      ranks: idsetOf(ranks),
      expiration: job.timeLimit === 0 ? 0 : started / 1000 + job.timeLimit,
    }
  })
  return { jobs, areAll: true }
}
