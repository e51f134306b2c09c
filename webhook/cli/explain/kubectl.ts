// Asks the API server through kubectl: clusters, users and their plugins are its business.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Io } from '../command.ts'
import type { Answer } from './https-get.ts'

export interface KubectlFlags {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
}

/** Gets a path of the API server as it is. Never rejects: what went wrong is in the answer, in kubectl's own words. */
export async function getRaw(
  path: string,
  { kubeconfig, context }: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const args = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    'get',
    '--raw',
    path,
  ]
  // Plugins may ask their user for a password, on the terminal.
  const child = spawn('kubectl', args, { env, stdio: ['inherit', 'pipe', 'pipe'] })
  try {
    const [out, err, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    if (code === 0) return { kind: 'text', text: out }
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`
    return { kind: 'failure', reason: err.trim() || `kubectl ended with ${end}` }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const isMissing = 'code' in error && error.code === 'ENOENT'
    const reason = isMissing ? 'there is no kubectl in PATH' : `kubectl: ${error.message}`
    return { kind: 'failure', reason }
  }
}
