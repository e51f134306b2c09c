// What must hold of sizes whatever jobs come: over random streams onto simulated MiniClusters, with the HPA's real arithmetic
// above them. SAFETY_SEED draws others, TEST_RUNS more.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Snapshot } from '#scaling/snapshot.ts'
import { TIMES } from '../../webhook/cli/simulate/simulation.ts'
import {
  arbitraryStream,
  BROKEN,
  lossesByResize,
  runStream,
  type Stream,
  streams,
} from '../support/arbitrary-streams.ts'
import { JoinWatch } from '../support/join-watch.ts'

const STREAMS = streams(4_000)

/** A size is known, but for the first drains after a start. */
function assertSound({ demand, sizes }: Snapshot): void {
  const { wanted, drained } = sizes
  assert.ok(demand.kind === 'known')
  if (wanted.kind === 'unknown') {
    assert.equal(drained, 0, 'nothing was published yet')
    return
  }
  const size = drained ?? wanted.whole
  assert.ok(Number.isInteger(size))
  assert.ok(size >= demand.floor, `size ${size} is at least the floor, ${demand.floor}`)
  assert.ok(size >= demand.quorum && size <= demand.maximum, `size ${size} is one that can be`)
}

/** How old a reading may be when the HPA acts on it, and how long it takes until the pods are gone. In milliseconds. */
function raceOf({ options }: Stream): number {
  const times = { ...TIMES, ...options.times }
  const { maxIntervalMs, readMs, decideMs, reactionMs, graceMs } = times
  const { matchMs, commitMs } = options.instance
  const late = [times.lossMs, matchMs, commitMs].map((latency = 0) => Math.max(...[latency].flat()))
  return late.reduce((a, b) => a + b, maxIntervalMs + 2 * readMs + decideMs + reactionMs + graceMs)
}

describe('sizes over random streams of jobs', () => {
  it('are never below what is busy; a job is lost only if it started after the reading that was acted upon', () => {
    let losses = 0
    const property = fc.property(arbitraryStream(undefined), (stream) => {
      let before: Snapshot | undefined
      const simulation = runStream(stream, ({ published }) => {
        if (published !== undefined && published !== before) assertSound(published)
        before = published
      })
      for (const { job, resize } of lossesByResize(stream, simulation)) {
        losses += 1
        const readAt = resize?.readAt ?? Number.POSITIVE_INFINITY
        const { RUN = 0, CLEANUP = 0 } = job.times
        assert.ok(RUN >= readAt, `job ${job.id} was in sight of who ended it`)
        assert.ok(CLEANUP - readAt <= raceOf(stream), `job ${job.id} was lost too late`)
      }
    })
    fc.assert(property, STREAMS)
    // The race is real: these streams run into it, and only drains close it.
    assert.ok(losses > 0)
  })

  it('with drains no job is ever lost, and what is wanted is given back: at once if its pod came after the rise, else after the race', () => {
    let joined = 0
    const property = fc.property(arbitraryStream({ instance: 'flux-sample' }), (stream) => {
      const watch = new DrainWatch(stream)
      const joins = new JoinWatch(stream)
      let before: Snapshot | undefined
      const simulation = runStream(stream, (state) => {
        const { published, instance, elapsedMs } = state
        joins.see(state)
        if (published === before) return
        before = published
        if (published !== undefined) assertSound(published)
        watch.see(elapsedMs, published, instance.nodes)
      })
      joined += joins.count
      assert.deepEqual(
        lossesByResize(stream, simulation).map(({ job, rank }) => `job ${job.id} on rank ${rank}`),
        [],
      )
      const { nodes } = simulation.instance
      for (const one of stream.interventions) {
        if (one.kind !== 'drain' || !watch.broken.has(one.rank)) continue
        assert.equal(nodes[one.rank]?.drain?.reason, BROKEN, `rank ${one.rank} stays drained`)
      }
    })
    fc.assert(property, STREAMS)
    assert.ok(joined > STREAMS.numRuns, 'pods came after a rise')
  })
})

/** Sees to it that drains of ours do not outlive their purpose, and which ranks administrators drained. */
class DrainWatch {
  readonly broken = new Set<number>()
  readonly #limitMs: number
  readonly #since = new Map<number, number>()

  constructor({ options }: Stream) {
    const { maxIntervalMs, readMs } = { ...TIMES, ...options.times }
    // drain.ts's RACE_MS, the next reading after it, and the reading's time.
    this.#limitMs = 60_000 + maxIntervalMs + 2 * readMs
  }

  see(
    nowMs: number,
    snapshot: Snapshot | undefined,
    nodes: readonly {
      readonly rank: number
      readonly online: boolean
      readonly drain: { readonly reason: string | undefined } | undefined
    }[],
  ): void {
    const wanted = snapshot?.sizes.wanted.kind === 'known' ? snapshot.sizes.wanted.whole : undefined
    for (const { rank, online, drain } of nodes) {
      if (drain?.reason === BROKEN) this.broken.add(rank)
      const isOurs = drain !== undefined && drain.reason !== BROKEN
      // Who has just come does not know since when.
      const waits = isOurs && online && wanted !== undefined && rank < wanted
      if (!waits) this.#since.delete(rank)
      else {
        const since = this.#since.get(rank) ?? nowMs
        this.#since.set(rank, since)
        assert.ok(
          nowMs - since <= this.#limitMs,
          `rank ${rank} is wanted, and drained since ${since}`,
        )
      }
    }
  }
}
