// Runs the process of the HPAs.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KeyPair } from '../../support/certificates.ts'

export interface HpasInput extends KeyPair {
  readonly port: number
  /** One for each HPA. */
  readonly paths: readonly string[]
  /** The first of those whose latencies count. */
  readonly counted: { readonly from: number }
  /** Each HPA asks so often. */
  readonly periodMs: number
  /** What comes in this time does not count. */
  readonly settleMs: number
  readonly measureMs: number
}

/** Latencies in milliseconds. */
export interface Asked {
  readonly requests: number
  /** What was answered instead of a metric. */
  readonly failures: readonly string[]
  readonly p50: number
  readonly p99: number
}

export async function runHpas(folder: string, input: HpasInput): Promise<Asked> {
  const file = join(folder, 'hpas.json')
  await writeFile(file, JSON.stringify(input))
  const program = join(import.meta.dirname, 'hpas-process.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program, file])
  return JSON.parse(stdout)
}
