// Measures growth for gangs, with Karpenter and the HPA that `flux-metrics hpa` prints: when the size, the pods, the nodes and the
// ranks are there, and when the job runs, in seconds since it was submitted. Prints the rows of the table in
// docs/NODE-AUTOSCALERS.md. On the cluster of the e2e tests, with Karpenter:
//
//   node test/e2e/record-growth.ts [--prefer-spread] [--share] [GANG…]
//
//   --prefer-spread  with the operator's preference of one node for each pod
//   --share          several pods fit on a node; without it each pod fills one
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { KubernetesObject, V1Node } from '@kubernetes/client-node'
import { readJob, submitJob } from './support/control.ts'
import { Elastic } from './support/elastic.ts'
import { type Recording, record, type Seen } from './support/hpa-recorder.ts'
import { recommendedHpa } from './support/recommended.ts'
import { recordSizes, type SizeRecording } from './support/scaling.ts'
import { holds } from './support/wait.ts'

const BOOT_TIME = '30s'
const PATIENCE_MS = 400_000

const COLUMNS =
  '| gang | size | pods | nodes | first bought | last bought | nodes ready | pods ready | ranks up | job runs |'

/** What is recorded of the whole run. */
interface Records {
  readonly sizes: SizeRecording
  readonly claims: Recording<KubernetesObject>
  readonly nodes: Recording<KubernetesObject>
}

function isObject(value: unknown): value is KubernetesObject {
  return typeof value === 'object' && value !== null && 'metadata' in value
}

function isReady({ object }: Seen<V1Node>): boolean {
  return (
    object.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true
  )
}

/** When each of the objects that were created after a time was first as it should be. */
function timesOf<T extends KubernetesObject>(
  recording: Recording<T>,
  since: number,
  isDone: (seen: Seen<T>) => boolean = () => true,
): readonly number[] {
  const isNew = ({ object }: Seen<T>) => createdAt(object) >= since
  return recording
    .names()
    .flatMap((name) => recording.statesOf(name).filter(isNew).find(isDone)?.at ?? [])
    .sort((one, other) => one - other)
}

/** The end of the second in which it was created. */
function createdAt({ metadata }: KubernetesObject): number {
  return new Date(metadata?.creationTimestamp ?? 0).getTime() + 999
}

/** One row of the table. */
async function measure(elastic: Elastic, records: Records, gang: number): Promise<string> {
  const id = await submitJob(elastic.broker, { nodes: gang, duration: 2 })
  const isRunning = async () => (await readJob(elastic.broker, id)).times.RUN !== undefined
  await holds(`a job on ${gang} nodes`, isRunning, PATIENCE_MS)
  await holds('the ranks', async () => elastic.ranks.upSince(gang) !== undefined)
  const { times: job } = await readJob(elastic.broker, id)
  const submitted = job.NEW ?? Number.NaN
  const size = records.sizes.changes().find((one) => one.at >= submitted && one.size >= gang)
  const pods = elastic.lives.all.filter(({ createdAt }) => createdAt >= submitted)
  const bought = timesOf(records.claims, submitted)
  const ready = timesOf(records.nodes, submitted, isReady)
  const after = (...times: readonly (number | undefined)[]) => {
    const last = Math.max(...times.map((time) => time ?? Number.NaN))
    return `${((last - submitted) / 1000).toFixed(1)} s`
  }
  const cells = [
    gang,
    after(size?.at),
    after(...pods.map(({ createdAt }) => createdAt)),
    bought.length,
    after(bought[0]),
    after(...bought),
    after(...ready),
    after(...pods.map(({ readyAt }) => readyAt)),
    after(elastic.ranks.upSince(gang)),
    after(job.RUN),
  ]
  return `| ${cells.join(' | ')} |`
}

async function isSmall(elastic: Elastic): Promise<void> {
  await holds('one pod', async () => elastic.lives.running.length === 1, PATIENCE_MS)
  await elastic.pool.isEmpty()
}

async function run(elastic: Elastic, gangs: readonly number[]): Promise<void> {
  const { kubeConfig, core } = elastic.cluster
  const from = (await core.listNode()).metadata?.resourceVersion ?? ''
  await using claims = record(kubeConfig, {
    path: '/apis/karpenter.sh/v1/nodeclaims',
    from,
    isOne: isObject,
  })
  await using nodes = record(kubeConfig, { path: '/api/v1/nodes', from, isOne: isObject })
  await using sizes = await recordSizes(elastic)
  // Only the way down is not as it is recommended: nobody waits for it.
  const { hpa } = await recommendedHpa(elastic, {
    stabilizationWindowSeconds: 5,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  })
  await elastic.cluster.objects.create(hpa)
  const write = (line: string) => process.stdout.write(`${line}\n`)
  write(COLUMNS)
  for (const gang of gangs) {
    write(await measure(elastic, { sizes, claims, nodes }, gang))
    await isSmall(elastic)
    await pause(5_000)
  }
}

const { values, positionals } = parseArgs({
  options: { 'prefer-spread': { type: 'boolean' }, share: { type: 'boolean' } },
  allowPositionals: true,
})
const gangs = positionals.length === 0 ? [4, 16, 64] : positionals.map(Number)
const elastic = await Elastic.create({
  maxSize: Math.max(...gangs),
  cpu: values.share === true ? '250m' : '600m',
  nodeCpus: values.share === true ? [1, 2, 4, 8, 16] : [1],
  network: { disableAffinity: values['prefer-spread'] !== true },
  bootTime: BOOT_TIME,
})
try {
  await run(elastic, gangs)
} finally {
  await elastic.remove()
}
