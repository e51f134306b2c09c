// Servers and load generators of the benchmark, each in a process of its own, and the memory that they use.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'

const LOAD = join(import.meta.dirname, 'load.ts')

export interface ServerProcess {
  readonly port: number
  readonly child: ChildProcess
  /** From the start of the process to its first answer. */
  readonly startMs: number
  stop(): Promise<void>
}

export interface Load {
  readonly requests: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port')
  server.close()
  await once(server, 'close')
  return address.port
}

export interface StartOptions {
  /** Flags of Node. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The path that is requested until there is an answer. */
  readonly probe?: string
}

/** Those that run. They end with this process, also if a measurement fails. */
const running = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a bundle and waits for its first answer. */
export async function startServer(
  bundle: string,
  { flags, env, probe = '/livez' }: StartOptions,
): Promise<ServerProcess> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...flags, bundle], {
    env: { ...env, LISTEN_PORT: String(port), NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  while (!(await answers(port, probe))) {
    if (child.exitCode !== null) throw new Error(`${bundle} ended with code ${child.exitCode}`)
  }
  return {
    port,
    child,
    startMs: performance.now() - startedAt,
    stop: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** Whether a server answers now. Never rejects. */
async function answers(port: number, path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.once('secureConnect', () =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  )
  socket.once('data', () => resolve(true))
  socket.once('error', () => setTimeout(resolve, 1, false))
  const answered = await promise
  socket.destroy()
  return answered
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

/** The most memory that a process has had, in MiB. */
export function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

/** Of the resident memory, what a limit has to hold: the kernel can drop the pages of files, such as Node's own 50 MiB. */
export function describeAnonymous(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  return `${Math.round(mib)} MiB without pages of files`
}

/** CPU time of a process so far, all its threads, in milliseconds. */
export function cpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')
    return sum + Number(nanoseconds) / 1e6
  }, 0)
}

/** Runs the load generator against a port. */
export async function load(options: Readonly<Record<string, string | number>>): Promise<Load> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, ...args])
  return JSON.parse(stdout)
}
