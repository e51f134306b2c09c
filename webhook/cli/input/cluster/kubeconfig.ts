// The file of --kubeconfig, looked at before kubectl is: of a file that is missing, empty or of another kind it asks a server on this
// machine ("localhost:8080"), and says nothing of the file. What is in it otherwise is kubectl's to judge.
import * as v from 'valibot'
import { enumerate } from '#serving/text.ts'
import type { Io } from '../../command.ts'
import { isMap, readPieces } from '../files/documents.ts'
import { readTextFile } from '../files/inputs.ts'
import { Source } from '../files/source.ts'
import type { KubectlFlags } from './kubectl.ts'

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
  { kubeconfig = '', context }: KubectlFlags,
  io: Io,
): Promise<string | undefined> {
  // As kubectl takes an empty name, for example of a variable that is not set: none is chosen.
  if (kubeconfig === '') return undefined
  const file = await readTextFile(kubeconfig, io)
  const problem = file.kind === 'problem' ? file.problem : problemIn(file.text, kubeconfig, context)
  return problem === undefined ? undefined : `--kubeconfig: ${problem}`
}

function problemIn(text: string, name: string, context: string | undefined): string | undefined {
  const [piece] = readPieces(new Source(name, text))
  if (piece === undefined) return `${name}: expected a kubeconfig, found nothing`
  if ('problem' in piece) return undefined
  const place = piece.placeOf([])
  if (!isMap(piece.value)) return `${place}: expected a kubeconfig, found no map`
  const { success, output } = v.safeParse(KubeconfigSource, piece.value)
  if (!success) return undefined
  const { kind, contexts, 'current-context': current } = output
  if (kind && kind !== 'Config')
    return `${place}: expected a kubeconfig (kind: Config), found ${kind}`
  const names = (contexts ?? []).map((one) => one.name)
  if (names.length === 0) return `${place}: expected a kubeconfig, found no contexts in it`
  const chosen = context || current
  const known = enumerate(names.slice(0, MAX_NAMED), 'or')
  if (!chosen)
    return `${place}: expected a current-context, found none: choose with --context ${known}`
  if (names.includes(chosen)) return undefined
  return `${place}: expected a context "${chosen}", found none: choose with --context ${known}`
}
