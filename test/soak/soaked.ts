// A process under soak: started with the flags of its image, it works and sends its samples.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readImageSettings } from '../support/image-settings.ts'
import type { Sample } from './measure.ts'

/** The samples of each process: enough for a line, and few enough to cost little. */
export const SAMPLES = 24

/** A process that sends no sample for this time makes no progress, and is ended. */
const MAX_SILENCE_MS = 900_000

/** What a soaked process sends: the port that it serves on, and its samples. */
export type Report = { readonly port: number } | { readonly sample: Sample }

export interface Soaked {
  /** Resolves with all samples when the process has done its work. */
  readonly samples: Promise<readonly Sample[]>
  /** Resolves with the port if it serves one. */
  readonly port: Promise<number>
}

/** Starts a program of this folder, as the image starts the sidecar or the gateway. */
export function startSoaked(
  program: string,
  args: readonly string[],
  as: 'sidecar' | 'gateway' = 'sidecar',
): Soaked {
  const image = readImageSettings(as)
  const flags = [...image.flags, '--expose-gc']
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...image.env, NODE_ENV: 'production' },
  })
  const samples: Sample[] = []
  const port = Promise.withResolvers<number>()
  const stuck = setTimeout(() => child.kill('SIGKILL'), MAX_SILENCE_MS)
  child.on('message', (report: Report) => {
    stuck.refresh()
    if ('port' in report) port.resolve(report.port)
    else samples.push(report.sample)
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    clearTimeout(stuck)
    if (code === 0) return samples
    const count = `after ${samples.length} of ${SAMPLES} samples`
    throw new Error(`${program} ended with ${signal ?? `code ${code}`} ${count}`)
  })
  return { samples: ended, port: port.promise }
}

/** In a soaked process. */
export function report(message: Report): void {
  process.send?.(message)
}
