// Reads a MiniCluster from the API server, and its version, for the HPA that scales it.
import * as v from 'valibot'
import { MINICLUSTERS } from '#api/api-group.ts'
import { parseServerVersion } from '../../kubernetes/server-version.ts'
import type { Io } from '../command.ts'
import { choicesFor } from '../hpa/recommended-hpa.ts'
import type { Answer } from '../input/cluster/answer.ts'
import { parseJson } from '../input/cluster/explanation.ts'
import { getObjectIn, getRaw, type KubectlFlags } from '../input/cluster/kubectl.ts'
import { readDocuments } from '../input/files/documents.ts'
import { readObjects } from '../input/files/objects.ts'
import { DEFAULT_KUBERNETES } from '../input/kubernetes-flag.ts'
import type { Subject } from './data.ts'
import type { SnippetSource } from './hpa-snippet.ts'

const VersionSchema = v.object({ gitVersion: v.string() })

/** @returns a sentence if it cannot be read */
export async function readMiniCluster(
  subject: Subject,
  flags: KubectlFlags,
  env: Io['env'],
): Promise<SnippetSource | string> {
  const [answer, version] = await Promise.all([
    getObjectIn(MINICLUSTERS, subject, flags, env),
    getRaw('/version', flags, env),
  ])
  if (answer.kind === 'failure') return answer.reason
  const documents = readDocuments(answer.text, `minicluster/${subject.name}`)
  const { found, problems } = readObjects(documents.found, subject)
  const [object] = found
  if (object?.kind !== 'MiniCluster') {
    return [...documents.problems, ...problems, 'kubectl did not answer a MiniCluster'][0] ?? ''
  }
  const { value: minicluster, document } = object
  const choices = choicesFor(minicluster, versionIn(version))
  return { apiVersion: document.apiVersion, minicluster, choices }
}

/** The newest version that is known, where it cannot be read. */
function versionIn(answer: Answer) {
  const read = v.safeParse(VersionSchema, answer.kind === 'text' ? parseJson(answer.text) : null)
  for (const text of [read.success ? read.output.gitVersion : '', DEFAULT_KUBERNETES]) {
    const version = parseServerVersion(text)
    if (version !== undefined) return version
  }
  throw new RangeError(`Cannot read version ${DEFAULT_KUBERNETES}`)
}
