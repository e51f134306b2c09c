// Asks the API server through kubectl, which chooses the cluster, the user and the credential plugins.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Io } from '../command.ts'
import type { Answer } from './answer.ts'

export interface KubectlFlags {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  /** Ends kubectl, and what waits for it. */
  readonly signal?: AbortSignal | undefined
}

/** The reason of a failure where there is no kubectl to ask. */
export const NO_KUBECTL = 'there is no kubectl in PATH'

/** A line of kubectl's log, which repeats the error that is printed after it: `E1129 12:52:24.634230   11706 memcache.go:265] …` */
const LOG_LINE = /^[EWIF]\d{4} \d\d:\d\d:\d\d\.\d+ .*\n?/gm

/** Gets a path of the API server. Never rejects: a failure is in the answer, in the words of kubectl. */
export async function getRaw(path: string, flags: KubectlFlags, env: Io['env']): Promise<Answer> {
  return runKubectl(['get', '--raw', path], flags, env)
}

/** Gets objects of one kind as JSON; those that do not exist are left out. Never rejects. */
export async function getObjects(
  kind: string,
  names: readonly string[],
  flags: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const command = ['get', kind, ...names, '--ignore-not-found', '--output=json']
  return runKubectl(command, flags, env)
}

/** Gets one object as JSON. Never rejects. */
export async function getObjectIn(
  kind: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  flags: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const command = ['get', kind, name, `--namespace=${namespace}`, '--output=json']
  return runKubectl(command, flags, env)
}

/** Gets all objects of one kind in a namespace, as a list in JSON. Never rejects. */
export async function getObjectsIn(
  kind: string,
  namespace: string,
  flags: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  return runKubectl(['get', kind, `--namespace=${namespace}`, '--output=json'], flags, env)
}

/** The namespace of the context; empty if it has none. */
export async function getNamespace(flags: KubectlFlags, env: Io['env']): Promise<Answer> {
  const command = ['config', 'view', '--minify', '--output=jsonpath={..namespace}']
  const answer = await runKubectl(command, flags, env)
  if (answer.kind === 'text' || answer.reason === NO_KUBECTL) return answer
  const { kubeconfig } = flags
  // kubectl does not say that the file is missing.
  const where = kubeconfig === undefined ? '' : ` in ${kubeconfig}`
  const reason = `kubectl has no context to use${where}: choose a file with --kubeconfig or KUBECONFIG, or a context of it with --context; in a pod, give the namespace with -n (${answer.reason})`
  return { kind: 'failure', reason }
}

async function runKubectl(
  command: readonly string[],
  { kubeconfig, context, signal: stop }: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const args = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...command,
  ]
  // A credential plugin may ask for a password on the terminal.
  const child = spawn('kubectl', args, {
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
    ...(stop !== undefined && { signal: stop }),
    killSignal: 'SIGKILL',
  })
  try {
    const [out, err, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    if (code === 0) return { kind: 'text', text: out }
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`
    return { kind: 'failure', reason: wordsOf(err) || `kubectl ended with ${end}` }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // Its credential plugin may live on, and hold them open.
    child.stdout.destroy()
    child.stderr.destroy()
    if (stop?.aborted === true) return { kind: 'failure', reason: 'kubectl did not answer in time' }
    const isMissing = 'code' in error && error.code === 'ENOENT'
    const reason = isMissing ? NO_KUBECTL : `kubectl: ${error.message}`
    return { kind: 'failure', reason }
  }
}

/** What kubectl says to a person, without its log, if it says anything else. */
function wordsOf(err: string): string {
  return err.replaceAll(LOG_LINE, '').trim() || err.trim()
}
