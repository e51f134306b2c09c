// Runs kubectl as a user does: raw requests, port-forward, logs. KUBECONFIG is read from the environment.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs kubectl to its end. A failure is an outcome, not an exception. */
export async function kubectl(
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<Outcome> {
  const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: Number(code), stdout, stderr }
}

/** `kubectl get --raw`, parsed. If kubectl fails, throws what it printed. */
export async function getRaw(path: string, args: readonly string[] = []): Promise<unknown> {
  const { code, stdout, stderr } = await kubectl(['get', '--raw', path, ...args])
  if (code !== 0) throw new Error(`Cannot get ${path}: ${stderr.trim()}`)
  return JSON.parse(stdout)
}

/** `kubectl get --raw` of a path that must be refused. Returns what kubectl printed. */
export async function getRefused(path: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await kubectl(['get', '--raw', path, ...args])
  if (code === 0) throw new Error(`Expected a refusal of ${path}, got ${stdout}`)
  return stderr.trim()
}

/** Forwards a local port to a port of a pod, until disposed. */
export async function portForward(
  namespace: string,
  pod: string,
  port: number,
): Promise<AsyncDisposable & { readonly port: number }> {
  const child = spawn('kubectl', ['port-forward', '-n', namespace, `pod/${pod}`, `:${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) {
    const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (local === undefined) continue
    child.stdout.resume()
    return {
      port: Number(local),
      async [Symbol.asyncDispose]() {
        child.kill()
        await ended
      },
    }
  }
  throw new Error(`Cannot forward a port to pod "${pod}": kubectl ended`)
}
