// A process under soak: started with the flags of the sidecar's image, it works and sends its samples.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sample } from './measure.ts'

/** The samples of each process: enough for a line, and few enough to cost little. */
export const SAMPLES = 24

/** The flags of Node in the image's ENTRYPOINT. */
export function imageFlags(): readonly string[] {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile.sidecar'), 'utf8')
  const [, entrypoint = ''] = /^ENTRYPOINT \[([^\]]*)\]/m.exec(dockerfile) ?? []
  const flags = [...entrypoint.matchAll(/"(--[^"]*)"/g)].map(([, flag = '']) => flag)
  if (flags.length === 0) throw new Error('Cannot find the flags of Node in Dockerfile.sidecar')
  return flags
}

/** What a soaked process sends: the port that it serves on, and its samples. */
export type Report = { readonly port: number } | { readonly sample: Sample }

export interface Soaked {
  /** Resolves with all samples when the process has done its work. */
  readonly samples: Promise<readonly Sample[]>
  /** Resolves with the port if it serves one. */
  readonly port: Promise<number>
}

/** Starts a program of this folder. */
export function startSoaked(program: string, args: readonly string[]): Soaked {
  const flags = [...imageFlags(), '--expose-gc']
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { NODE_ENV: 'production' },
  })
  const samples: Sample[] = []
  const port = Promise.withResolvers<number>()
  child.on('message', (report: Report) => {
    if ('port' in report) port.resolve(report.port)
    else samples.push(report.sample)
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (code === 0) return samples
    throw new Error(`${program} ended with ${signal ?? `code ${code}`}`)
  })
  return { samples: ended, port: port.promise }
}

/** In a soaked process. */
export function report(message: Report): void {
  process.send?.(message)
}
