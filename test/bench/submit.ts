// Measures the time from a job's submission to its number, and the calls to the broker that a job costs. As a guest the
// sidecar learns of the job from job-stats, after 200 ms; as owner from the commit to the KVS.
import { join } from 'node:path'
import { Instance } from '#simulation/instance.ts'
import { type SimulatedBroker, startBroker } from '../support/broker.ts'
import { ask } from '../support/https.ts'
import { type Bench, say } from './bench.ts'
import { type Figure, median } from './figures.ts'
import { freshAnswer, METRIC } from './metric-requests.ts'
import type { ServerProcess } from './processes.ts'

/** Between two jobs: long enough for all that a job causes. */
const PAUSE_MS = 700
/** Between two requests for the number. */
const POLL_MS = 4
const RUNNING = METRIC.replace(/[^/]+$/, 'job_queue_state_run_count')

/** Starts a sidecar that reads the broker at a path. */
type StartAt = (path: string) => Promise<ServerProcess>

export async function* submitFigures(bench: Bench, start: StartAt): AsyncGenerator<Figure> {
  say('from submit to number …')
  const owner = await measure(bench, start, 'owner')
  yield {
    name: 'from submit to the new number, as owner',
    value: owner.ms,
    unit: 'ms',
    target: { at: 'most', value: 100 },
    detail: `${owner.calls.toFixed(1)} calls a job`,
  }
  const guest = await measure(bench, start, 'guest')
  yield {
    name: 'the same as guest, who is told after 200 ms',
    value: guest.ms,
    unit: 'ms',
    target: undefined,
    detail: `${guest.calls.toFixed(1)} calls a job`,
  }
}

async function measure(bench: Bench, start: StartAt, role: 'owner' | 'guest') {
  const instance = new Instance({ maxSize: 100, coresPerNode: 8 })
  const path = join(bench.folder, `submit-${role}`)
  const broker = await startBroker({ path, instance, role })
  const { port, stop } = await start(path)
  await freshAnswer(port, bench)
  await pause(2 * PAUSE_MS)
  const { submittedJobs } = bench.effort
  const times: number[] = []
  const before = countCalls(broker)
  for (let job = 1; job <= submittedJobs; job += 1) {
    instance.submit({ nodes: 1 })
    const submittedAt = performance.now()
    while ((await runningJobs(port, bench)) < job) await pause(POLL_MS)
    times.push(performance.now() - submittedAt)
    await pause(PAUSE_MS)
  }
  const calls = (countCalls(broker) - before) / submittedJobs
  await stop()
  await broker.close()
  return { ms: median(times), calls }
}

async function runningJobs(port: number, { pair }: Bench): Promise<number> {
  const { text } = await ask(port, RUNNING, { client: pair })
  const { items = [] } = JSON.parse(text)
  return Number(items[0]?.value ?? -1)
}

/** All calls to a broker since it started. */
export function countCalls(broker: SimulatedBroker): number {
  return [...broker.calls.values()].reduce((sum, count) => sum + count, 0)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
