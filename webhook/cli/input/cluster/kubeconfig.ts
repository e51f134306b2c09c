// The kubeconfig files that kubectl will use, looked at before kubectl is: where they are missing, empty or of another kind it asks a
// server on this machine ("localhost:8080"), and says nothing of them. What is in them otherwise is kubectl's to judge.
import { delimiter, join } from 'node:path'
import * as v from 'valibot'
import { enumerate } from '#serving/text.ts'
import type { Io } from '../../command.ts'
import { isMap, readPieces } from '../files/documents.ts'
import { readTextFile } from '../files/inputs.ts'
import { Source } from '../files/source.ts'
import { getNamespace, type KubectlFlags, NO_KUBECTL } from './kubectl.ts'

/** clientcmd takes a file without kind for one of its own. */
const KubeconfigSource = v.looseObject({
  kind: v.nullish(v.string()),
  contexts: v.nullish(v.array(v.looseObject({ name: v.string() }))),
  'current-context': v.nullish(v.string()),
})

/** More are not listed. */
const MAX_NAMED = 10

/** @returns a sentence if no cluster can be asked with these flags */
export async function problemOfKubeconfig(
  flags: KubectlFlags,
  io: Io,
): Promise<string | undefined> {
  const { kubeconfig = '', context } = flags
  // As kubectl takes an empty name, for example of a variable that is not set: none is chosen.
  if (kubeconfig !== '') return prefixed('--kubeconfig', await problemOf([kubeconfig], context, io))
  const { KUBECONFIG = '', KUBERNETES_MASTER, KUBERNETES_SERVICE_HOST } = io.env
  // kubectl asks these where no file chooses a server: one that is named, and that of its pod.
  if (KUBERNETES_MASTER || KUBERNETES_SERVICE_HOST) return undefined
  if (KUBECONFIG === '') return problemOfDefault(flags, io)
  const files = [...new Set(KUBECONFIG.split(delimiter))].filter((file) => file !== '')
  const present = await presentOf(files, io)
  if (present.length === 0 && files.length !== 1) {
    const missing =
      files.length === 0 ? `only "${KUBECONFIG}"` : `none of ${enumerate(files, 'and')}`
    return `KUBECONFIG: expected a kubeconfig, found ${missing}`
  }
  // A file alone that is missing is told as one that cannot be read.
  return prefixed(
    'KUBECONFIG',
    await problemOf(present.length === 0 ? files : present, context, io),
  )
}

/**
 * Of the file that kubectl uses where none is chosen. A kubectl that comes with a cluster has another one (k3s): if it has a context
 * all the same, there is no problem.
 */
async function problemOfDefault(flags: KubectlFlags, io: Io): Promise<string | undefined> {
  const { HOME = '', USERPROFILE } = io.env
  // On Windows it is in one of several folders.
  if (HOME === '' || USERPROFILE) return undefined
  const problem = await problemOf([join(HOME, '.kube', 'config')], flags.context, io)
  if (problem === undefined) return undefined
  const answer = await getNamespace(flags, io.env)
  if (answer.kind === 'text' || answer.reason === NO_KUBECTL) return undefined
  return `${problem}; --kubeconfig or KUBECONFIG chooses another kubeconfig`
}

function prefixed(source: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${source}: ${problem}`
}

/** kubectl leaves out those that are missing. */
async function presentOf(files: readonly string[], io: Io): Promise<readonly string[]> {
  const isThere = await Promise.all(
    files.map((file) =>
      io.readFile(file).then(
        () => true,
        (error) => error?.code !== 'ENOENT',
      ),
    ),
  )
  return files.filter((_, index) => isThere[index])
}

type Kubeconfig =
  | { readonly kind: 'problem'; readonly problem: string }
  /** What only kubectl can judge. */
  | { readonly kind: 'unknown' }
  /** Nothing but comments. */
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'config'
      /** Its beginning. */
      readonly place: string
      readonly contexts: readonly string[]
      readonly current: string | undefined
    }

/** @param files which are merged: of a setting that several have, that of the first one counts */
async function problemOf(
  files: readonly string[],
  context: string | undefined,
  io: Io,
): Promise<string | undefined> {
  const read = await Promise.all(files.map((file) => readKubeconfig(file, io)))
  const wrong = read.find((one) => one.kind === 'problem')
  if (wrong !== undefined) return wrong.problem
  if (read.some((one) => one.kind === 'unknown')) return undefined
  const configs = read.filter((one) => one.kind === 'config')
  const [first] = configs
  const all = enumerate(files, 'and')
  if (first === undefined) return `${all}: expected a kubeconfig, found nothing`
  const place = files.length === 1 ? first.place : all
  const names = [...new Set(configs.flatMap(({ contexts }) => contexts))]
  if (names.length === 0) return `${place}: expected a kubeconfig, found no contexts in it`
  const chosen = context || configs.find(({ current }) => current)?.current
  const known = enumerate(names.slice(0, MAX_NAMED), 'or')
  if (!chosen) {
    return `${place}: expected a current-context, found none: choose with --context ${known}`
  }
  if (names.includes(chosen)) return undefined
  return `${place}: expected a context "${chosen}", found none: choose with --context ${known}`
}

async function readKubeconfig(name: string, io: Io): Promise<Kubeconfig> {
  const file = await readTextFile(name, io)
  if (file.kind === 'problem') return file
  const [piece] = readPieces(new Source(name, file.text))
  if (piece === undefined) return { kind: 'nothing' }
  if ('problem' in piece) return { kind: 'unknown' }
  const place = piece.placeOf([])
  if (!isMap(piece.value)) {
    return { kind: 'problem', problem: `${place}: expected a kubeconfig, found no map` }
  }
  const { success, output } = v.safeParse(KubeconfigSource, piece.value)
  if (!success) return { kind: 'unknown' }
  const { kind, contexts, 'current-context': current } = output
  if (kind && kind !== 'Config') {
    const problem = `${place}: expected a kubeconfig (kind: Config), found ${kind}`
    return { kind: 'problem', problem }
  }
  const names = (contexts ?? []).map((one) => one.name)
  return { kind: 'config', place, contexts: names, current: current ?? undefined }
}
