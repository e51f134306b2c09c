// The stages of the soak: each starts a process with the flags of the image, gives it its world, and takes its samples.
import { Agent } from 'node:https'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Instance } from '#simulation/instance.ts'
import { startBroker } from '../support/broker.ts'
import { ask } from '../support/https.ts'
import { startEnemyBroker } from './enemy-broker.ts'
import type { Sample } from './measure.ts'
import { startPassing } from './passing-fleet.ts'
import { writeKubectl } from './passing-kubectl.ts'
import { startShifting } from './shifting-cluster.ts'
import { type Soaked, startSoaked } from './soaked.ts'

export interface Stage {
  readonly name: string
  /** How much of the work is done, and in the short form. */
  readonly work: number
  readonly short: number
  readonly run: (work: number, folder: string) => Promise<readonly Sample[]>
}

export const STAGES: readonly Stage[] = [
  { name: 'waits', work: 1_000_000, short: 48_000, run: soakWaits },
  { name: 'readings', work: 200_000, short: 2_400, run: soakReadings },
  { name: 'enemy readings', work: 5_000, short: 360, run: soakEnemy },
  { name: 'connections', work: 10_000, short: 600, run: soakConnections },
  { name: 'certificate reloads', work: 1_000, short: 240, run: soakCertificates },
  { name: 'miniclusters', work: 25_000, short: 240, run: soakMiniClusters },
  { name: 'dashboard', work: 10_000, short: 240, run: soakDashboard },
]

/** How often the sidecar is asked while it reads, and what. */
const ASK_MS = 50
const METRICS = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default'
const PATHS = [
  '/metrics',
  '/explain',
  '/readyz',
  `${METRICS}/miniclusters.flux-framework.org/flux-sample/node_desired_count`,
  `${METRICS}/services/*/job_queue_state_run_count?metricLabelSelector=queue%3Ddebug`,
]

/** Releases that report changes by events. Later ones report them so late that reading without a pause looks like a lost stream. */
const BY_EVENTS = ['0.51.0', '0.54.0'] as const
const BY_STREAMS = ['0.66.0', '0.88.0'] as const

async function soakWaits(work: number, folder: string): Promise<readonly Sample[]> {
  const path = join(folder, 'waits')
  const broker = await startBroker({ path, instance: new Instance({ maxSize: 4 }) })
  try {
    return await startSoaked('waits-process.ts', [path, String(work)]).samples
  } finally {
    await broker.close()
  }
}

async function soakReadings(work: number, folder: string): Promise<readonly Sample[]> {
  const path = join(folder, 'readings')
  await using _cluster = await startShifting({ path, versions: BY_EVENTS, backlog: 20 })
  return await askingMeanwhile(startSoaked('sidecar-process.ts', [path, 'readings', String(work)]))
}

async function soakEnemy(work: number, folder: string): Promise<readonly Sample[]> {
  const [path, behind] = [join(folder, 'enemy'), join(folder, 'behind')]
  await using _cluster = await startShifting({ path: behind, versions: BY_STREAMS, backlog: 100 })
  await using _broker = await startEnemyBroker(path, behind)
  return await askingMeanwhile(startSoaked('sidecar-process.ts', [path, 'readings', String(work)]))
}

async function soakConnections(work: number, folder: string): Promise<readonly Sample[]> {
  const path = join(folder, 'connections')
  await using _cluster = await startShifting({
    path,
    versions: BY_STREAMS,
    backlog: 20,
    disconnectEveryMs: 15,
  })
  const args = [path, 'connections', String(work)]
  return await askingMeanwhile(startSoaked('sidecar-process.ts', args))
}

async function soakCertificates(work: number): Promise<readonly Sample[]> {
  return await startSoaked('certificates-process.ts', [String(work)]).samples
}

/** A thousand rotations of the gateway's CAs among them. */
async function soakMiniClusters(work: number, folder: string): Promise<readonly Sample[]> {
  await using fleet = await startPassing(folder)
  const args = [String(fleet.port), fleet.credentialsFile, String(work)]
  return await startSoaked('gateway-process.ts', args, 'gateway').samples
}

async function soakDashboard(work: number, folder: string): Promise<readonly Sample[]> {
  await writeKubectl(folder)
  return await startSoaked('dashboard-process.ts', [folder, String(work)], 'gateway').samples
}

/** Asks the sidecar for all that it caches, over one connection, until it has ended. */
async function askingMeanwhile({ samples, port }: Soaked): Promise<readonly Sample[]> {
  const over = new AbortController()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const asking = Promise.race([port, samples.then(() => undefined)]).then(async (served) => {
    for (let turn = 0; served !== undefined && !over.signal.aborted; turn += 1) {
      await ask(served, PATHS[turn % PATHS.length] ?? '', { agent }).catch(() => {})
      await setTimeout(ASK_MS)
    }
  })
  try {
    return await samples
  } finally {
    over.abort()
    await asking.catch(() => {})
    agent.destroy()
  }
}
