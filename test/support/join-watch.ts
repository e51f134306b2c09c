// Watches a simulation for ranks whose pods came after the size rose: none of them may be drained for long.
import assert from 'node:assert/strict'
import { publishedSize } from '#scaling/sizes.ts'
import type { Decision } from '../../webhook/cli/hpa-controller/controller.ts'
import { type Simulation, TIMES } from '../../webhook/cli/simulate/simulation.ts'
import { BROKEN, type Stream } from './arbitrary-streams.ts'

/** A pod came after the rise if its rank was absent for so long after a size without it was read last. */
const DECIDED_MS = 15_000

/** A rank that was absent for a shorter time may have blipped. */
const BLIP_MS = 30_000

/** The readings that show a rank absent may begin so much later than the absence. */
const UNSEEN_MS = 10_000

/** What the watch knows of a rank. */
interface Watched {
  /** When the HPA last read a size that takes the rank away. */
  readAt: number
  /** `undefined` while it is there. */
  absentSince: number | undefined
  /** When its pod came after a rise; `undefined` if it did not, or was not wanted since. */
  joinedAt: number | undefined
}

/** Fails when a rank that joined after the rise, and is wanted, is still drained at a later reading. */
export class JoinWatch {
  readonly #promptMs: number
  readonly #ranks = new Map<number, Watched>()
  #decision: Decision | undefined
  #count = 0

  constructor({ options }: Stream) {
    const { minIntervalMs, readMs } = { ...TIMES, ...options.times }
    // The next reading, after the shortest pause, and its time.
    this.#promptMs = minIntervalMs + 2 * readMs + 1
  }

  /** How many ranks joined after a rise. */
  get count(): number {
    return this.#count
  }

  /** Call it after every event. */
  see({ elapsedMs, published, decision, instance }: Simulation): void {
    const isRead = decision !== this.#decision
    this.#decision = decision
    const size = published === undefined ? undefined : publishedSize(published.sizes)
    const wanted = published?.sizes.wanted.kind === 'known' ? published.sizes.wanted.whole : 0
    for (const { rank, online, drain } of instance.nodes) {
      const watched = this.#at(rank, elapsedMs)
      // Who starts, or comes back, does not know what was published before, and who was there.
      if (typeof size !== 'number') {
        Object.assign(watched, { readAt: elapsedMs, absentSince: elapsedMs })
      } else if (isRead && rank >= size) watched.readAt = elapsedMs
      this.#follow(watched, online, elapsedMs)
      if (rank >= wanted) watched.joinedAt = undefined
      const { joinedAt } = watched
      if (joinedAt === undefined || drain === undefined || drain.reason === BROKEN) continue
      assert.ok(elapsedMs - joinedAt <= this.#promptMs, `rank ${rank} joined at ${joinedAt}`)
    }
  }

  #at(rank: number, nowMs: number): Watched {
    const known = this.#ranks.get(rank)
    if (known !== undefined) return known
    const watched = { readAt: nowMs, absentSince: undefined, joinedAt: undefined }
    this.#ranks.set(rank, watched)
    return watched
  }

  #follow(watched: Watched, online: boolean, nowMs: number): void {
    const { absentSince, readAt } = watched
    if (!online) {
      watched.absentSince = absentSince ?? nowMs
      watched.joinedAt = undefined
      return
    }
    watched.absentSince = undefined
    if (absentSince === undefined) return
    if (absentSince + UNSEEN_MS > readAt || nowMs < readAt + DECIDED_MS) return
    if (nowMs < absentSince + UNSEEN_MS + BLIP_MS) return
    watched.joinedAt = nowMs
    this.#count += 1
  }
}
