// Records how a real HPA resizes a MiniCluster: jobs as `flux jobs -a --json` prints them, the HPA, and every size with its
// time. test/webhook/cli/simulate/reality.test.ts replays the recording in `flux-metrics simulate`. On the cluster of the e2e
// tests, which must have been started with HPA_SYNC_PERIOD=15s, the shipped default:
//
//   node test/e2e/record-scaling.ts test/recordings/scaling/run.json
import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { JobRequest } from '#simulation/instance.ts'
import { readJob, submitJob } from './support/control.ts'
import { Environment } from './support/environment.ts'
import { ENABLED, MINICLUSTER } from './support/manifests.ts'
import { recommendedHpa } from './support/recommended.ts'
import { recordSizes, size } from './support/scaling.ts'
import { readVersion } from './support/server-version.ts'

const NODES = { start: 2, max: 6, cores: 8 } as const
const IDLE_GRACE_SECONDS = 10
/** Grow at once, by steps, for a second gang; shrink by steps, and not below a job that runs. */
const JOBS: readonly { readonly atMs: number; readonly job: JobRequest }[] = [
  { atMs: 5_000, job: { nodes: 4, duration: 40 } },
  { atMs: 25_000, job: { nodes: 6, duration: 20 } },
  { atMs: 40_000, job: { nodes: 3, duration: 50 } },
  { atMs: 140_000, job: { nodes: 5, duration: 15 } },
]
const BEHAVIOR = {
  scaleUp: { policies: [{ type: 'Pods', value: 2, periodSeconds: 15 }] },
  scaleDown: {
    stabilizationWindowSeconds: 30,
    policies: [{ type: 'Pods', value: 2, periodSeconds: 15 }],
  },
} as const

/** As `flux jobs` prints a job. */
async function recordedJob(environment: Environment, id: string, { nodes, duration }: JobRequest) {
  const { times, result } = await readJob(environment, id)
  const seconds = (state: string) => (times[state] ?? 0) / 1000
  return {
    id: Number(id),
    t_submit: seconds('NEW'),
    t_run: seconds('RUN'),
    t_cleanup: seconds('CLEANUP'),
    t_inactive: seconds('INACTIVE'),
    nnodes: nodes,
    ntasks: nodes,
    duration,
    result,
  }
}

async function run(environment: Environment) {
  const { hpa } = await recommendedHpa(environment)
  const { behavior, ...spec } = hpa.spec
  const scaleUp = { ...behavior?.scaleUp, ...BEHAVIOR.scaleUp }
  const scaleDown = { ...behavior?.scaleDown, ...BEHAVIOR.scaleDown }
  const stepwise = { ...hpa, spec: { ...spec, behavior: { scaleUp, scaleDown } } }
  await using sizes = await recordSizes(environment)
  const start = Date.now()
  await environment.cluster.objects.create(stepwise)
  const submitted: { readonly id: string; readonly job: JobRequest }[] = []
  for (const { atMs, job } of JOBS) {
    await pause(Math.max(0, start + atMs - Date.now()))
    submitted.push({ id: await submitJob(environment, job), job })
  }
  await size(environment, 5)
  await size(environment, NODES.start)
  return {
    kubernetes: (await readVersion()).version,
    /** When the HPA was created, and when sizes changed, in seconds since the epoch. */
    hpaCreatedAt: start / 1000,
    sizes: sizes.changes().map(({ at, size: value }) => ({ at: at / 1000, size: value })),
    nodes: NODES,
    idleGraceSeconds: IDLE_GRACE_SECONDS,
    hpa: { ...stepwise, metadata: { name: MINICLUSTER } },
    jobs: await Promise.all(submitted.map(({ id, job }) => recordedJob(environment, id, job))),
  }
}

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('Expected the file to write')
const environment = await Environment.create({
  maxSize: NODES.max,
  minSize: NODES.start,
  annotations: { ...ENABLED, 'flux-metrics/idle-grace-seconds': String(IDLE_GRACE_SECONDS) },
})
try {
  await writeFile(file, `${JSON.stringify(await run(environment), undefined, 2)}\n`)
} finally {
  await environment.remove()
}
