// How long a gang of jobs waits for a MiniCluster that grows, with drains and without: on the whole loop, with HPAs of the
// kinds that people have.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Simulation, type Times } from '../../webhook/cli/simulate/simulation.ts'

/** From a pod being up until its job runs. */
const PROMPT_MS = 5_000

const DRAINS = { instance: 'flux-sample' }

interface Case {
  readonly what: string
  readonly arrivals: readonly number[]
  readonly times: Partial<Times>
  readonly stabilizationSeconds: number
}

const MINUTE = 60_000

const CASES: readonly Case[] = [
  {
    what: 'in the first minute of a sidecar',
    arrivals: [5_000],
    times: { firstSyncMs: 3_000 },
    stabilizationSeconds: 60,
  },
  {
    what: 'in the first minute, before the first sync',
    arrivals: [6_000],
    times: { firstSyncMs: 14_000 },
    stabilizationSeconds: 60,
  },
  {
    what: 'under an HPA that syncs every second',
    arrivals: [20_000],
    times: { firstSyncMs: 1_000, syncMs: 1_000 },
    stabilizationSeconds: 60,
  },
  {
    what: 'again and again, from an idle state',
    arrivals: [5_000, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE],
    times: {},
    stabilizationSeconds: 60,
  },
  {
    what: 'again and again, under an HPA that shrinks at once',
    arrivals: [5_000, 3 * MINUTE, 6 * MINUTE, 9 * MINUTE],
    times: {},
    stabilizationSeconds: 0,
  },
  {
    what: 'with pods that take ten minutes to come',
    arrivals: [20_000],
    times: { joinMs: 10 * MINUTE },
    stabilizationSeconds: 60,
  },
]

function run({ arrivals, times, stabilizationSeconds }: Case): Simulation {
  const metric = { name: 'node_desired_count' }
  const object = {
    describedObject: { kind: 'MiniCluster', name: 'flux-sample' },
    metric,
    target: { type: 'AverageValue' as const, averageValue: '1' },
  }
  const simulation = new Simulation({
    instance: { maxSize: 4, coresPerNode: 4, commitMs: 20 },
    size: 2,
    quorum: 2,
    arrivals: arrivals.map((atMs) => ({ atMs, job: { nodes: 4, duration: 20 } })),
    times,
    hpa: {
      minReplicas: 2,
      maxReplicas: 4,
      metrics: [{ type: 'Object', object }],
      behavior: {
        scaleUp: { tolerance: 0, stabilizationWindowSeconds: 0 },
        scaleDown: { tolerance: 0, stabilizationWindowSeconds: stabilizationSeconds },
      },
    },
    snapshots: { drains: DRAINS, patience: { idleGraceMs: 10_000, joinTimeoutMs: 600_000 } },
  })
  while (!simulation.isDone && simulation.elapsedMs < 30 * MINUTE) simulation.step()
  return simulation
}

describe('with drains a gang starts as soon as its pods are up', () => {
  for (const one of CASES) {
    it(one.what, () => {
      const { instance, losses } = run(one)
      assert.deepEqual(losses, [])
      assert.equal(instance.jobs.size, one.arrivals.length)
      const ups = instance.changes.filter(({ name }) => name === 'online')
      for (const { times } of instance.jobs.values()) {
        const { RUN, SCHED = 0 } = times
        assert.ok(RUN !== undefined, 'it has started')
        const upAt = ups.findLast(({ at }) => at <= RUN)?.at ?? 0
        const waitedMs = RUN - Math.max(upAt, SCHED)
        assert.ok(waitedMs <= PROMPT_MS, `${waitedMs} ms after its pods were up`)
      }
    })
  }
})
