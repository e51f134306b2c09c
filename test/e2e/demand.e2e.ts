// HPAs on the size that the jobs need, on a real cluster. They grow a MiniCluster for a gang, never shrink it below a running
// job, and grow it where a default tolerance would not. The reason can be read.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import { miniClusterHpa } from './support/autoscalers.ts'
import { withEnvironment } from './support/cases.ts'
import { remove } from './support/cluster.ts'
import { readJob, submitJob } from './support/control.ts'
import type { Environment } from './support/environment.ts'
import { getRaw, kubectl } from './support/kubectl.ts'
import { ENABLED, GROUP, MINICLUSTER } from './support/manifests.ts'
import { impatientExample } from './support/metrics-example.ts'
import { growWithoutPods } from './support/podless.ts'
import { recommendedHpa } from './support/recommended.ts'
import { reason, recordSizes, scalingActive, size, specSize } from './support/scaling.ts'
import { eventually, holds } from './support/wait.ts'

const CLI = join(import.meta.dirname, '../../webhook/cli/main.ts')
const EXAMPLE = await impatientExample()
/** The largest size of every HPA while all nodes have pods. */
const MANY = 4
/** For this size one more node is within the default tolerance of 10 %. */
const LARGE = 60

function metricsPath({ namespace }: Environment, rest: string): string {
  const object = `namespaces/${namespace}/miniclusters.flux-framework.org/${MINICLUSTER}`
  return `/apis/${GROUP}/v1beta2/${object}/${rest}`
}

/** Runs the command line as a user does. */
async function explain({ namespace }: Environment): Promise<{ code: number; out: string }> {
  const args = [CLI, 'explain', MINICLUSTER, '--namespace', namespace]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: Number(code), out: `${out}${err}` }
}

async function runsOn(environment: Environment, id: string): Promise<readonly number[]> {
  return eventually(`job ${id} to run`, async () => {
    const { state, ranks } = await readJob(environment, id)
    return state === 'RUN' ? ranks : undefined
  })
}

async function finish(environment: Environment, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await environment.post(`/jobs/${id}/finish`)
}

/** Every metric of the catalog that has no value, with the error that kubectl printed. */
async function refusals(environment: Environment): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>()
  for (const { name } of BUILTIN_METRICS) {
    const { code, stderr } = await kubectl(['get', '--raw', metricsPath(environment, name)])
    if (code !== 0) refused.set(name, stderr)
  }
  return refused
}

/** The value per replica that an HPA has last read. */
async function averageRead(environment: Environment, name: string): Promise<string | undefined> {
  const { status } = await environment.hpa(name)
  return status?.currentMetrics?.[0]?.object?.current?.averageValue
}

/** Jobs that later cases use. */
const kept = { high: '', gang: '' }

withEnvironment(
  'autoscaling on the size that the jobs need',
  {
    'the recommended HPA grows in one step for a job of all nodes': async (environment) => {
      await using sizes = await recordSizes(environment)
      kept.gang = await submitJob(environment, { nodes: MANY, queue: 'batch' })
      const { hpa } = await recommendedHpa(environment)
      await environment.cluster.objects.create(hpa)
      await size(environment, MANY)
      assert.deepEqual(await runsOn(environment, kept.gang), [0, 1, 2, 3])
      assert.deepEqual(sizes.seen(), [2, MANY])
      await reason(environment, MINICLUSTER, 'ValidMetricFound')
    },

    'it shrinks to the highest busy rank, and the idle ranks below stay': async (environment) => {
      const ids: string[] = []
      for (let i = 0; i < 3; i += 1) {
        ids.push(await submitJob(environment, { nodes: 1, queue: 'batch' }))
      }
      await finish(environment, kept.gang)
      const [low = '', middle = '', high = ''] = ids
      assert.deepEqual(await runsOn(environment, high), [2])
      await finish(environment, low, middle)
      await size(environment, 3)
      assert.deepEqual(await runsOn(environment, high), [2])
      const counts = {
        demand: await environment.metric('node_demand_count'),
        floor: await environment.metric('node_floor_count'),
        desired: await environment.metric('node_desired_count'),
      }
      assert.deepEqual(counts, { demand: 1, floor: 3, desired: 3 })
      kept.high = high
    },

    'kubectl and the command line say what holds it': async (environment) => {
      const answer = JSON.stringify(await getRaw(metricsPath(environment, 'explain')))
      assert.match(
        answer,
        /"summary":"desired 3: rank 2 runs job ƒ\w+ of user 0, which has no time limit"/,
      )
      const { code, out } = await explain(environment)
      assert.equal(code, 0, out)
      assert.match(out, /^desired 3: rank 2 runs job ƒ\w+ of user 0, which has no time limit\n/)
      assert.match(out, /^nodes {4}present 3, desired 3, floor 3, demand 1, quorum 2, maximum 64$/m)
    },

    'when that job ends it shrinks to the smallest size': async (environment) => {
      assert.equal((await environment.miniCluster()).spec.size, 3)
      await finish(environment, kept.high)
      await size(environment, 2)
      const { hpa } = await recommendedHpa(environment)
      await remove(environment.cluster, hpa)
    },

    "an HPA on a user's own metric from a ConfigMap grows": async (environment) => {
      const hpa = EXAMPLE.hpa(environment.namespace)
      await environment.cluster.objects.create(hpa)
      const gang = await submitJob(environment, { nodes: MANY, queue: 'batch' })
      await size(environment, MANY)
      assert.deepEqual(await runsOn(environment, gang), [0, 1, 2, 3])
      assert.equal(await environment.metric('my_custom_metric_name'), 0)
      await remove(environment.cluster, hpa)
      await finish(environment, gang)
    },

    'an HPA on the jobs of one queue does not grow for another': async (environment) => {
      await submitJob(environment, { nodes: 2 * MANY, queue: 'batch' })
      const debug = { name: 'flux-sample-debug', metric: 'node_desired_count', queue: 'debug' }
      const hpa = miniClusterHpa(environment.namespace, debug)
      await environment.cluster.objects.create(hpa)
      await size(environment, 2)
      assert.equal(await environment.metric('node_desired_count'), 2 * MANY)
      const job = await submitJob(environment, { nodes: 3, queue: 'debug', urgency: 31 })
      await size(environment, 3)
      assert.deepEqual(await runsOn(environment, job), [0, 1, 2])
      assert.equal(await environment.metric('node_desired_count', 'queue=debug'), 3)
      await remove(environment.cluster, hpa)
    },

    'at 60 nodes the default tolerance ignores a need of 61, and the explanation says so': async (
      environment,
    ) => {
      await environment.post('/jobs/cancel-all')
      await environment.stopOperator()
      await growWithoutPods(environment, LARGE)
      const tolerant = { name: 'tolerant', metric: 'node_desired_count', maxReplicas: 64 }
      const hpa = miniClusterHpa(environment.namespace, tolerant)
      kept.gang = await submitJob(environment, { nodes: LARGE + 1, queue: 'batch' })
      await holds('a desired size of 61', async () => {
        return (await environment.metric('node_desired_count')) === LARGE + 1
      })
      await environment.cluster.objects.create(hpa)
      // 61 / 60
      await holds('the HPA to have read 61', async () => {
        return (await averageRead(environment, tolerant.name)) === '1017m'
      })
      const { status } = await environment.hpa(tolerant.name)
      assert.deepEqual([status?.currentReplicas, status?.desiredReplicas], [LARGE, LARGE])
      assert.equal((await environment.miniCluster()).spec.size, LARGE)
      assert.match(
        (await explain(environment)).out,
        /^desired 61: 1 pending job needs 61 nodes, up to rank 60;[^.]* an\s+HPA\s+with\s+the\s+default\s+tolerance\s+stays\s+at\s+60\n/,
      )
      await remove(environment.cluster, hpa)
    },

    'the recommended HPA goes from 60 to 61, and the job runs': async (environment) => {
      const { hpa, choices } = await recommendedHpa(environment)
      await environment.cluster.objects.create(hpa)
      // Without a tolerance it asks for the next size that is not ignored, 67, but at most for 64.
      const enough = choices.hasTolerance ? LARGE + 1 : 64
      await specSize(environment, enough)
      assert.equal((await readJob(environment, kept.gang)).state, 'SCHED')
      await growWithoutPods(environment, enough)
      assert.equal((await runsOn(environment, kept.gang)).length, LARGE + 1)
    },

    'without a broker it holds its size, and every metric says why it has no value': async (
      environment,
    ) => {
      const { spec } = await environment.miniCluster()
      await environment.holdBroker()
      await environment.post('/kill')
      await reason(environment, MINICLUSTER, 'FailedGetObjectMetric')
      const { message = '' } = (await scalingActive(environment, MINICLUSTER)) ?? {}
      assert.match(message, /node_desired_\w*count.*Cannot read the state of Flux: \w+/)
      const refused = await refusals(environment)
      assert.equal(refused.size, BUILTIN_METRICS.length)
      for (const [name, why] of refused) {
        assert.match(why, /ServiceUnavailable.*Cannot read the state of Flux: \w+/, name)
      }
      const { code, out } = await explain(environment)
      assert.equal(code, 1)
      assert.match(out, /Cannot read the state of Flux: \w+/)
      assert.equal((await environment.miniCluster()).spec.size, spec.size)
    },

    'the API server logged no error about our group': async ({ log }, t) => {
      if (log === undefined) return t.skip("the API server's log cannot be read")
      assert.deepEqual(await log.errors(GROUP), [])
    },
  },
  {
    maxSize: 64,
    minSize: 2,
    broker: { QUEUES: 'batch=0-63;debug=0-63' },
    annotations: {
      ...ENABLED,
      'flux-metrics/idle-grace-seconds': '0',
      'flux-metrics/metrics-config': EXAMPLE.configMap.metadata.name,
    },
    objects: [EXAMPLE.configMap],
  },
)
