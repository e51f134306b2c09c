// Measures what a very long queue costs the clients that ask for metrics meanwhile.
import { join } from 'node:path'
import { startBroker } from '../support/broker.ts'
import { type Bench, say } from './bench.ts'
import { busyInstance } from './demand.ts'
import type { Figure } from './figures.ts'
import { compareRequests, describeRates, freshAnswer } from './metric-requests.ts'
import type { ServerProcess } from './processes.ts'

const SUBMIT_INTERVAL_MS = 250

/** Starts a sidecar that reads the broker at a path. */
type StartAt = (path: string) => Promise<ServerProcess>

/**
 * Sends the same requests to two sidecars, one of which reads a queue of very many pending jobs. Jobs are submitted to both
 * all the time, so that both read as often as they may.
 */
export async function longQueueFigure(bench: Bench, start: StartAt): Promise<Figure> {
  say('a long queue …')
  const { longQueue } = bench.effort
  await using short = await startQueue(bench, start, 100)
  await using long = await startQueue(bench, start, longQueue)
  await freshAnswer(short.sidecar.port, bench)
  await freshAnswer(long.sidecar.port, bench)
  const comparison = await compareRequests(long.sidecar, short.sidecar, { connections: 16, bench })
  return {
    name: `p99, 16 connections, ${longQueue.toLocaleString('en')} pending jobs against 100`,
    value: comparison.ratio('p99'),
    unit: '×',
    target: { at: 'most', value: 1.1 },
    detail: describeRates(comparison),
  }
}

async function startQueue(bench: Bench, start: StartAt, pending: number) {
  const instance = busyInstance(pending)
  const path = join(bench.folder, `queue-${pending}`)
  const broker = await startBroker({ path, instance, role: 'guest' })
  const sidecar = await start(path)
  const timer = setInterval(() => instance.submit({ cores: 4 }), SUBMIT_INTERVAL_MS)
  return {
    sidecar,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await sidecar.stop()
      await broker.close()
    },
  }
}
