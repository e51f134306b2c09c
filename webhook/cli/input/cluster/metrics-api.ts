// The metrics API of the cluster: its paths, and how it is asked through kubectl. Where nobody of ours answers, kubectl does not say
// what to do.
import { MINICLUSTERS, NAMESPACES, versionPath } from '#api/api-group.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import type { Io } from '../../command.ts'
import type { Answer } from './answer.ts'
import { getRaw, type KubectlFlags } from './kubectl.ts'

const API = versionPath('v1beta2')

/** The path of the explanations of all MiniClusters, or of those of a namespace. */
export function explanationsPath(namespace?: string): string {
  const scope = namespace === undefined ? API : `${API}/${NAMESPACES}/${namespace}`
  return `${scope}/${MINICLUSTERS}/*/${EXPLAIN}`
}

/** The path of a metric of a MiniCluster, or of its explanation. */
export function metricPath(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  metric: string,
): string {
  return `${API}/${NAMESPACES}/${namespace}/${MINICLUSTERS}/${name}/${metric}`
}

const CURE = '"flux-metrics doctor" says what is missing'

/** What an API server, or another adapter, says where the gateway does not answer. */
const ELSEWHERE: readonly (readonly [words: string, why: string])[] = [
  ['the server could not find the requested resource', 'nobody serves custom metrics here'],
  ['the server could not find the metric explain for', 'another adapter serves custom metrics'],
  [
    'the server is currently unable to handle the request',
    'what should serve custom metrics does not answer',
  ],
]

/** Gets a path of the metrics API. Never rejects: a failure is in the answer, with a hint where nobody of ours has answered. */
export async function getFromMetricsApi(
  path: string,
  flags: KubectlFlags,
  env: Io['env'],
): Promise<Answer> {
  const answer = await getRaw(path, flags, env)
  if (answer.kind === 'text') return answer
  const [, why] = ELSEWHERE.find(([words]) => answer.reason.includes(words)) ?? []
  if (why === undefined) return answer
  return { kind: 'failure', reason: `${why}; ${CURE} (${answer.reason})` }
}
