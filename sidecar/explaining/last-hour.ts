// What was read in the last hour, in bounded memory: sizes and jobs every few seconds, and what happened meanwhile. For people
// only: no size depends on it.
import { countIds, isEmpty, subtractIdsets } from '#flux/sets/idset.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { shorten } from '#serving/text.ts'
import { demandIn, explain } from './explanation.ts'
import { spellRanks } from './wording.ts'

const HOUR_SECONDS = 3_600

/** One point for each of these. */
const STEP_SECONDS = 10

/** In an hour in which the size changes all the time these are the latest. */
const MAX_EVENTS = 200

const MAX_TEXT = 400

/** Numbers of nodes or jobs, one for each time; `null`: not known then. */
export type Series = readonly (number | null)[]

/** The last hour, as columns of equal length: it is read as a whole. */
export interface LastHourExplanation {
  /** At most one point in so many seconds. */
  readonly stepSeconds: number
  /** Seconds since the epoch, ascending. A gap means that the sidecar did not run, or that Flux was not read. */
  readonly at: readonly number[]
  readonly present: Series
  readonly desired: Series
  readonly floor: Series
  readonly demand: Series
  readonly running: Series
  readonly pending: Series
  /** The latest events, the oldest first. */
  readonly events: readonly PastEvent[]
}

export interface PastEvent {
  /** Seconds since the epoch. */
  readonly at: number
  /** `start`: of the sidecar. `size`: the desired size changed. `drain`: the sidecar drained or undrained ranks. */
  readonly kind: 'start' | 'size' | 'drain' | 'error' | 'recovered'
  readonly text: string
}

interface Point {
  readonly at: number
  readonly present: number | null
  readonly desired: number | null
  readonly floor: number | null
  readonly demand: number | null
  readonly running: number | null
  readonly pending: number | null
}

export class LastHour {
  #points: Point[] = []
  #events: PastEvent[] = []
  #previous: Snapshot | undefined
  #error: string | undefined

  /** @param now milliseconds since the epoch */
  constructor(now: number) {
    this.#add(now, 'start', 'the sidecar started')
  }

  /** A snapshot is served from now on. */
  noteSnapshot(snapshot: Snapshot, now = Date.now()): void {
    this.#forget(now)
    if (this.#error !== undefined) this.#add(now, 'recovered', 'Flux was read again')
    this.#error = undefined
    this.#noteSize(snapshot, now)
    this.#noteDrains(snapshot, now)
    this.#previous = snapshot
    this.#put(pointOf(snapshot, now))
  }

  /** No number is served from now on. */
  noteError(reason: string, now = Date.now()): void {
    this.#forget(now)
    if (reason !== this.#error) this.#add(now, 'error', `no metrics: ${reason}`)
    this.#error = reason
    this.#put(nothingAt(now))
  }

  explain(now = Date.now()): LastHourExplanation {
    this.#forget(now)
    const points = this.#points
    return {
      stepSeconds: STEP_SECONDS,
      at: points.map(({ at }) => at),
      present: points.map(({ present }) => present),
      desired: points.map(({ desired }) => desired),
      floor: points.map(({ floor }) => floor),
      demand: points.map(({ demand }) => demand),
      running: points.map(({ running }) => running),
      pending: points.map(({ pending }) => pending),
      events: this.#events,
    }
  }

  #noteSize(snapshot: Snapshot, now: number): void {
    const before = this.#previous && publishedSize(this.#previous.sizes)
    const size = publishedSize(snapshot.sizes)
    if (before === undefined ? typeof size !== 'number' : isSameSize(before, size)) return
    this.#add(now, 'size', explain(snapshot, new Date(now)).summary)
  }

  #noteDrains({ ranks: { ownDrained } }: Snapshot, now: number): void {
    const before = this.#previous?.ranks.ownDrained
    if (before === undefined || before === ownDrained) return
    const added = subtractIdsets(ownDrained, before)
    const lifted = subtractIdsets(before, ownDrained)
    if (!isEmpty(added)) this.#add(now, 'drain', `the sidecar drained ${spellRanks(added)}`)
    if (!isEmpty(lifted)) {
      const verb = countIds(lifted) === 1 ? 'is' : 'are'
      this.#add(now, 'drain', `${spellRanks(lifted)} ${verb} drained by the sidecar no longer`)
    }
  }

  #add(now: number, kind: PastEvent['kind'], text: string): void {
    this.#events.push({ at: now / 1000, kind, text: shorten(text, { characters: MAX_TEXT }) })
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
  }

  /** The latest point of a step stands for it. */
  #put(point: Point): void {
    const last = this.#points.at(-1)
    if (last !== undefined && stepOf(last) === stepOf(point)) this.#points.pop()
    this.#points.push(point)
  }

  /**
   * What is older than an hour, and everything if the clock was set back: its times would mean nothing. A clock that is corrected by
   * less than a step loses no more than the points that were to come.
   */
  #forget(now: number): void {
    const seconds = now / 1000
    const latest = Math.max(this.#points.at(-1)?.at ?? 0, this.#events.at(-1)?.at ?? 0)
    if (latest - seconds > STEP_SECONDS) {
      this.#points = []
      this.#events = []
    } else if (latest > seconds) {
      this.#points = this.#points.filter(({ at }) => at <= seconds)
      this.#events = this.#events.map((event) => ({ ...event, at: Math.min(event.at, seconds) }))
    }
    const since = seconds - HOUR_SECONDS
    while ((this.#points[0]?.at ?? since) < since) this.#points.shift()
    while ((this.#events[0]?.at ?? since) < since) this.#events.shift()
  }
}

function stepOf({ at }: Pick<Point, 'at'>): number {
  return Math.floor(at / STEP_SECONDS)
}

function pointOf({ sizes, demand, jobs, ranks }: Snapshot, now: number): Point {
  const desired = publishedSize(sizes)
  const known = demand.kind === 'known' ? demand : undefined
  const total = jobs.kind === 'known' ? jobs.total : undefined
  return {
    at: now / 1000,
    present: sizeWith(ranks.live),
    desired: typeof desired === 'number' ? desired : null,
    floor: known?.floor ?? null,
    demand: demandAt(known),
    running: total === undefined ? null : total.run + total.cleanup,
    pending: total === undefined ? null : total.depend + total.priority + total.sched,
  }
}

function demandAt(demand: Demand | undefined): number | null {
  return demand === undefined || demand.unknownPlaces !== undefined ? null : demandIn(demand)
}

function nothingAt(now: number): Point {
  const none = { present: null, desired: null, floor: null, demand: null }
  return { at: now / 1000, ...none, running: null, pending: null }
}

function isSameSize(one: number | Unknown, other: number | Unknown): boolean {
  return one === other || (typeof one !== 'number' && typeof other !== 'number')
}
