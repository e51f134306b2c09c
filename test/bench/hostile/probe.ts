// Loaded into a sidecar before its program: measures how long the event loop is held. SIGUSR2 writes the longest hold to
// PROBE_FILE and begins anew.
import { writeFileSync } from 'node:fs'

/** How often the event loop is looked at, in milliseconds. */
const SAMPLE_MS = 5

/** Times in milliseconds. */
export interface Holds {
  /**
   * The longest time in which nothing else could run, by the CPU time of the main thread where that is less: other processes
   * of the machine do not count.
   */
  readonly longest: number
  /** The same by the clock alone. */
  readonly longestByClock: number
  /** CPU time of all threads. */
  readonly cpu: number
}

function cpuNow(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

let longest = 0
let longestByClock = 0
let [at, cpuAt] = [performance.now(), cpuNow()]

setInterval(() => {
  const [now, cpu] = [performance.now(), cpuNow()]
  const held = now - at - SAMPLE_MS
  longestByClock = Math.max(longestByClock, held)
  longest = Math.max(longest, Math.min(held, cpu - cpuAt))
  at = now
  cpuAt = cpu
}, SAMPLE_MS).unref()

let cpuBefore = process.cpuUsage()

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage(cpuBefore)
  const holds: Holds = { longest, longestByClock, cpu: (user + system) / 1000 }
  writeFileSync(process.env.PROBE_FILE ?? '', JSON.stringify(holds))
  longest = 0
  longestByClock = 0
  cpuBefore = process.cpuUsage()
})
