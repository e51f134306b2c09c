// Nodes and MiniClusters, with Karpenter as node autoscaler: a MiniCluster grows and shrinks, nodes are bought and given back, and
// no job is lost. Without the annotations that protect pods, Karpenter evicts the lead broker. Needs Karpenter with its kwok
// provider, and E2E_KARPENTER=true.
import assert from 'node:assert/strict'
import { withShared } from './support/cases.ts'
import { type JobReport, readHistory, submitJob } from './support/control.ts'
import { Elastic } from './support/elastic.ts'
import { run } from './support/installation.ts'
import { submitWaves } from './support/job-waves.ts'
import { NO_KARPENTER } from './support/node-pool.ts'
import type { PodLife } from './support/pod-lives.ts'
import { Pooled } from './support/pooled.ts'
import { recommendedHpa } from './support/recommended.ts'
import { recordSizes, turnsOf } from './support/scaling.ts'
import { holds } from './support/wait.ts'

/** Each run draws other jobs. The seed of an earlier run draws the same jobs. */
const SEED = Number(process.env.NODES_SEED ?? Date.now() % 1_000_000)
/** Minutes in which jobs arrive. */
const MINUTES = Number(process.env.NODES_MINUTES ?? 5)

/** Several pods fit on a node: a smaller size leaves nodes that are not full, on which busy pods are. */
const SHAPE = { cpu: '600m', nodeCpus: [1, 2, 4, 8] } as const

/** The jobs that ran on the pod's rank when somebody ended the pod. */
function jobsEndedBy({ index, endingAt = 0 }: PodLife, jobs: readonly JobReport[]) {
  return jobs.filter(({ ranks, times: { RUN = Infinity, CLEANUP = Infinity } }) => {
    return ranks.includes(index) && RUN <= endingAt && endingAt < CLEANUP
  })
}

/** What Karpenter says about nodes that it leaves, because of pods of the namespace. */
async function blocked(namespace: string): Promise<readonly string[]> {
  const events = ['get', 'events', '--field-selector=reason=DisruptionBlocked']
  const messages = '--output=jsonpath={range .items[*]}{.message}{"\\n"}{end}'
  const lines = (await run([...events, messages])).split('\n')
  return lines.filter((line) => /do-not-disrupt/.test(line) && line.includes(namespace))
}

withShared(
  'nodes and MiniClusters',
  () => Elastic.create({ maxSize: 8, network: { disableAffinity: true }, ...SHAPE }),
  {
    [`jobs arrive for ${MINUTES} minutes: none is lost, and no busy pod is disrupted`]: async (
      elastic,
      t,
    ) => {
      t.diagnostic(`NODES_SEED=${SEED}`)
      await using sizes = await recordSizes(elastic)
      const { hpa } = await recommendedHpa(elastic, {
        stabilizationWindowSeconds: 5,
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      })
      await elastic.cluster.objects.create(hpa)
      const ids = await submitWaves(elastic.broker, {
        seed: SEED,
        count: MINUTES,
        sizes: sizes.seen,
      })
      await holds('the end of all jobs', async () => {
        return (await readHistory(elastic.broker)).jobs.length === ids.length
      })
      await holds('one pod', async () => elastic.lives.running.length === 1)
      // The last pod of the MiniCluster is on no node that is bought.
      await elastic.pool.isEmpty()
      const { jobs } = await readHistory(elastic.broker)
      const ended = elastic.lives.all.filter(({ endingAt }) => endingAt !== undefined)
      const { grown, shrunk } = turnsOf(sizes)
      t.diagnostic(
        `${jobs.length} jobs, sizes ${sizes.seen().join(' ')}, ${ended.length} pods ended`,
      )
      const turns = Math.max(1, MINUTES - 1)
      assert.ok(grown >= turns && shrunk >= turns, `grown ${grown}, shrunk ${shrunk}`)
      assert.deepEqual(
        jobs.filter(({ result }) => result !== 'successful'),
        [],
      )
      assert.deepEqual(
        ended.filter(({ evicted, index }) => evicted || index === 0),
        [],
      )
      assert.deepEqual(
        ended.filter((pod) => jobsEndedBy(pod, jobs).length > 0),
        [],
      )
    },

    'a NodePool whose limit is too small is told, and the job runs when the limit is raised':
      async (elastic) => {
        await elastic.pool.limit(2)
        await submitJob(elastic.broker, { nodes: 7, duration: 5 })
        const told = new RegExp(
          `are not there: their pods are Pending for [\\w ]+: .*NodePool ${elastic.pool.name}: the limits are reached \\(karpenter\\)`,
        )
        await holds('the sentence', async () => told.test(await elastic.explain()))
        // The nodes that came are kept for the job: the size is what it needs.
        assert.equal((await elastic.miniCluster()).spec.size, 7)
        await elastic.pool.limit(null)
        await holds('the end of the job', async () => {
          const { jobs } = await readHistory(elastic.broker)
          return jobs.at(-1)?.ranks.length === 7 && jobs.at(-1)?.result === 'successful'
        })
        assert.doesNotMatch(await elastic.explain(), /not there/)
        await elastic.pool.isEmpty()
      },

    'a smaller size without protection loses the lead broker, and with protection no pod': async ({
      cluster,
      namespace,
    }) => {
      const shape = { ...SHAPE, size: 6 }
      const annotations = { 'flux-metrics/protect': 'false' }
      const creating = [
        Pooled.create(cluster, namespace, { ...shape, name: 'moved', annotations }),
        Pooled.create(cluster, namespace, { ...shape, name: 'kept' }),
      ] as const
      await using moved = await creating[0]
      await using kept = await creating[1]
      const left = await kept.shrink(2)
      await moved.shrink(2)
      await holds('the eviction of the lead broker', async () => {
        return moved.lives.all.some(({ index, evicted }) => index === 0 && evicted)
      })
      await holds('Karpenter to leave a node', async () => {
        const messages = await blocked(namespace)
        return left.some(({ name }) => messages.some((message) => message.includes(name)))
      })
      assert.deepEqual(
        left.map(({ index, endingAt }) => ({ index, endingAt })).sort((a, b) => a.index - b.index),
        [0, 1].map((index) => ({ index, endingAt: undefined })),
      )
    },
  },
  NO_KARPENTER,
)
