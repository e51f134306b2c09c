// The demo's MiniCluster: simulated, with jobs that arrive and end, and a size that can be set.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Instance } from '#simulation/instance.ts'
import { startBroker } from '../support/broker.ts'

const MAX_SIZE = 16
const FIRST_SIZE = 2
const TICK_MS = 200

/** In one wave jobs are rare, then frequent, then rare again. */
const WAVE_MS = 40_000
/** The demo starts this long after the start of a wave. */
const ELAPSED_MS = 7_000
const FEWEST_PER_SECOND = 0.05
const MOST_PER_SECOND = 0.9
const JOB_MS = { min: 5_000, max: 10_000 } as const
/** This share of the jobs needs several nodes at once. */
const WIDE = { share: 0.2, nodes: 4 } as const

/** A running simulation. */
export interface DemoCluster {
  /** `FLUX_URI` of its broker. */
  readonly uri: string
  readonly maxSize: number
  readonly size: number
  /** Starts pods up to `size` and removes the highest ones, busy or not, as an Indexed Job does. */
  resize(size: number): void
  /** Jobs that ran on a pod that was removed. */
  readonly killed: number
  close(): Promise<void>
}

/** Starts with 2 of 16 nodes up. Jobs of 1 or 4 whole nodes and 5 to 10 seconds arrive in waves. */
export async function startDemoCluster(random: () => number = Math.random): Promise<DemoCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-demo-'))
  const path = join(folder, 'local')
  const instance = new Instance({ maxSize: MAX_SIZE, coresPerNode: 4, up: FIRST_SIZE })
  // The first change of size should not wait for the wave.
  instance.submit({ nodes: WIDE.nodes, duration: JOB_MS.max / 1000 })
  const broker = await startBroker({ path, instance, role: 'guest' })
  let size = FIRST_SIZE
  const waveStartedAt = Date.now() - ELAPSED_MS
  const tick = () => {
    instance.tick(Date.now())
    const phase = ((Date.now() - waveStartedAt) / WAVE_MS) * 2 * Math.PI
    const perSecond =
      FEWEST_PER_SECOND + ((MOST_PER_SECOND - FEWEST_PER_SECOND) * (1 - Math.cos(phase))) / 2
    if (random() < (perSecond * TICK_MS) / 1000) {
      const durationMs = JOB_MS.min + random() * (JOB_MS.max - JOB_MS.min)
      const nodes = random() < WIDE.share ? WIDE.nodes : 1
      instance.submit({ nodes, duration: durationMs / 1000 })
    }
  }
  const timer = setInterval(tick, TICK_MS)
  return {
    uri: `local://${path}`,
    maxSize: MAX_SIZE,
    get size() {
      return size
    },
    resize: (wanted) => {
      size = wanted
      instance.resize(wanted)
    },
    get killed() {
      return [...instance.jobs.values()].filter(({ result }) => result === 'failed').length
    },
    close: async () => {
      clearInterval(timer)
      await broker.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
