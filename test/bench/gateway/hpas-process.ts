// HorizontalPodAutoscalers as the gateway meets them: each asks for its metric every 15 s, through the connections of one API
// server, which takes the one that was used last. Prints one JSON line: the latencies of those that count.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../figures.ts'
import type { Asked, HpasInput } from './hpas.ts'

/** client-go keeps so many idle connections for each server. */
const IDLE_CONNECTIONS = 25

const input: HpasInput = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const { port, paths, cert, key, counted, periodMs, settleMs, measureMs } = input
const agent = new Agent({
  ...{ keepAlive: true, scheduling: 'lifo', maxFreeSockets: IDLE_CONNECTIONS },
  ...{ cert, key, rejectUnauthorized: false },
})
const latencies: number[] = []
const failures: string[] = []
const startedAt = performance.now()
const endsAt = startedAt + settleMs + measureMs

/**
 * Asks again where an idle connection ends just when it is used, as client-go does.
 *
 * @returns what was answered instead of a metric
 */
async function ask(path: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const headers = { accept: 'application/json', 'x-remote-user': 'hpa' }
  const call = request({ agent, host: '127.0.0.1', port, path, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    response.on('end', () => resolve(response.statusCode === 200 ? undefined : text))
  })
  call.on('error', ({ message }) => resolve(call.reusedSocket ? ask(path) : message))
  call.end()
  return promise
}

async function autoscale(path: string, index: number): Promise<void> {
  let dueAt = startedAt + (periodMs * index) / paths.length
  for (; dueAt < endsAt; dueAt += periodMs) {
    await sleep(Math.max(0, dueAt - performance.now()))
    const askedAt = performance.now()
    const failure = await ask(path)
    if (index < counted.from || dueAt - startedAt < settleMs) continue
    latencies.push(performance.now() - askedAt)
    if (failure !== undefined) failures.push(failure)
  }
}

await Promise.all(paths.map(autoscale))
latencies.sort((one, other) => one - other)
const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
const asked: Asked = { requests: latencies.length, failures, p50: median(latencies), p99 }
process.stdout.write(`${JSON.stringify(asked)}\n`)
agent.destroy()
