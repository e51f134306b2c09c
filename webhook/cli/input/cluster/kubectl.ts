// Asks the API server through kubectl, which chooses the cluster, the user and the credential plugins.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readBoundedText } from '#serving/bounded-text.ts'
import { shorten } from '#serving/text.ts'
import type { Io } from '../../command.ts'
import type { Answer } from './answer.ts'
import { type Patience, spellPatience, within } from './patience.ts'

/** Whom to ask, and how long. kubectl is ended when nobody waits for it any more. */
export interface KubectlFlags extends Patience {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
}

/** Far more than the longest list has that is asked for. */
const MAX_MIB = 64

const TOO_LONG = `kubectl answers more than ${MAX_MIB} MiB: is it an API server?`

/** Of what kubectl says of an error. */
const MAX_REASON = 2_000

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
  // kubectl does not always name the file.
  const where = kubeconfig ? ` in ${kubeconfig}` : ''
  const reason = `kubectl has no context to use${where}: choose a file with --kubeconfig or KUBECONFIG, or a context of it with --context; in a pod, give the namespace with -n (${answer.reason})`
  return { kind: 'failure', reason }
}

async function runKubectl(
  command: readonly string[],
  flags: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const { kubeconfig, context } = flags
  const args = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...command,
  ]
  try {
    return await within(flags, (signal) => answerOf(args, env, signal))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (error.name === 'AbortError') return { kind: 'failure', reason: noAnswer(flags) }
    const isMissing = 'code' in error && error.code === 'ENOENT'
    const reason = isMissing ? NO_KUBECTL : `kubectl: ${error.message}`
    return { kind: 'failure', reason }
  }
}

function noAnswer(patience: Patience): string {
  return `kubectl did not answer ${spellPatience(patience)}: can you reach the API server, and are you logged in?`
}

async function answerOf(
  args: readonly string[],
  env: Io['env'],
  stop: AbortSignal,
): Promise<Answer> {
  // A credential plugin may ask for a password on the terminal.
  const child = spawn('kubectl', args, {
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
    signal: stop,
    killSignal: 'SIGKILL',
  })
  try {
    const [out, err, [code, signal]] = await Promise.all([
      readBoundedText(child.stdout, MAX_MIB * 2 ** 20),
      readBoundedText(child.stderr, MAX_MIB * 2 ** 20),
      once(child, 'close'),
    ])
    if (out === undefined || err === undefined) return { kind: 'failure', reason: TOO_LONG }
    if (code === 0) return { kind: 'text', text: out }
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`
    return { kind: 'failure', reason: wordsOf(err) || `kubectl ended with ${end}` }
  } finally {
    // Its credential plugin may live on, and hold them open.
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

/** What kubectl says to a person, without its log, if it says anything else. */
function wordsOf(err: string): string {
  const words = err.replaceAll(LOG_LINE, '').trim() || err.trim()
  return shorten(words, { characters: MAX_REASON })
}
