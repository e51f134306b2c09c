// The server that is asked about one MiniCluster: the metrics API of a cluster, through kubectl, or a sidecar directly. The flags
// that name it, and the request.
import { EXPLAIN as SUBRESOURCE } from '#metrics/metric.ts'
import type { Io } from '../../command.ts'
import { readInputs } from '../files/inputs.ts'
import { DEFAULT_NAMESPACE, problemOfName, problemOfNamespace } from '../flags.ts'
import type { Answer } from './answer.ts'
import { httpsGet } from './https-get.ts'
import { problemOfKubeconfig } from './kubeconfig.ts'
import { getNamespace, type KubectlFlags } from './kubectl.ts'
import { getFromMetricsApi, metricPath } from './metrics-api.ts'
import type { Patience } from './patience.ts'

/** The flags that name the server. */
export const TARGET_FLAGS = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  url: { type: 'string' },
  ca: { type: 'string' },
  'certificate-authority': { type: 'string' },
  insecure: { type: 'boolean' },
  'insecure-skip-tls-verify': { type: 'boolean' },
} as const

/** Their help. */
export const TARGET_HELP = `      --kubeconfig FILE  passed to kubectl
      --context NAME     passed to kubectl
      --url URL          the sidecar, such as https://localhost:8443
      --ca, --certificate-authority FILE
                         CA certificates (PEM) that verify the certificate of
                         the sidecar [the CA certificates of Node.js]
      --insecure, --insecure-skip-tls-verify
                         do not verify the certificate of the sidecar`

const KUBECTL_FLAGS = ['namespace', 'kubeconfig', 'context'] as const
const SIDECAR_FLAGS = [
  'ca',
  'certificate-authority',
  'insecure',
  'insecure-skip-tls-verify',
] as const

type TargetValues = {
  readonly [Name in keyof typeof TARGET_FLAGS]?:
    | ((typeof TARGET_FLAGS)[Name]['type'] extends 'boolean' ? boolean : string)
    | undefined
}

export interface ClusterTarget {
  readonly kind: 'cluster'
  readonly name: string
  /** `undefined`: that of kubectl's context. */
  readonly namespace: string | undefined
  readonly kubectl: KubectlFlags
}

export interface SidecarTarget {
  readonly kind: 'sidecar'
  readonly url: URL
  readonly caFile: string | undefined
  readonly insecure: boolean
  readonly patience?: Patience | undefined
}

/** The server that is asked. */
export type Target = ClusterTarget | SidecarTarget

/** @returns a sentence if the arguments are wrong */
export function readTarget(values: TargetValues, positionals: readonly string[]): Target | string {
  const { url, namespace } = values
  const [name, ...others] = positionals
  const excluded = url === undefined ? SIDECAR_FLAGS : KUBECTL_FLAGS
  const flag = excluded.find((candidate) => values[candidate] !== undefined)
  if (flag !== undefined) {
    return `--${flag}: cannot be used ${url === undefined ? 'without' : 'with'} --url`
  }
  if (others.length > 0) return `expected one MiniCluster, got ${positionals.join(' ')}`
  if (url !== undefined) {
    return name === undefined ? sidecarAt(url, values) : 'expected a MiniCluster or --url, got both'
  }
  if (name === undefined) return 'expected the name of a MiniCluster'
  const wrong = problemOfName(name) ?? problemOfNamespace(namespace)
  if (wrong !== undefined) return wrong
  const { kubeconfig, context } = values
  return { kind: 'cluster', name, namespace, kubectl: { kubeconfig, context } }
}

function sidecarAt(text: string, values: TargetValues): SidecarTarget | string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/') {
    return `--url: expected https://HOST:PORT, got "${text}"`
  }
  return {
    kind: 'sidecar',
    url: new URL(`/${SUBRESOURCE}`, url),
    caFile: values.ca ?? values['certificate-authority'],
    insecure: values.insecure === true || values['insecure-skip-tls-verify'] === true,
  }
}

/** @returns a sentence if the server cannot be asked */
export async function problemOfTarget(
  target: Pick<ClusterTarget, 'kind' | 'kubectl'> | SidecarTarget,
  io: Io,
): Promise<string | undefined> {
  return target.kind === 'cluster' ? problemOfKubeconfig(target.kubectl, io) : undefined
}

/** The same server, asked with another patience. */
export function withPatience(target: Target, patience: Patience): Target {
  if (target.kind === 'sidecar') return { ...target, patience }
  return { ...target, kubectl: { ...target.kubectl, ...patience } }
}

/** What is asked for. */
export interface ExplainQuestion {
  readonly format: 'json' | 'text'
  /** Details (`include`). */
  readonly include: readonly string[]
}

/** Asks for the explanation. Never rejects: a failure is in the answer. */
export async function askForExplanation(
  target: Target,
  question: ExplainQuestion,
  io: Io,
): Promise<Answer> {
  if (target.kind === 'sidecar') return askSidecar(target, question, io)
  const namespace = await namespaceOf(target, io)
  if (typeof namespace !== 'string') return namespace
  const path = metricPath({ namespace, name: target.name }, SUBRESOURCE)
  return getFromMetricsApi(`${path}${queryOf(question)}`, target.kubectl, io.env)
}

/** The namespace of the MiniCluster, or why it is not known. */
export async function namespaceOf(
  { namespace, kubectl }: ClusterTarget,
  io: Io,
): Promise<string | Answer> {
  if (namespace !== undefined) return namespace
  const ofContext = await getNamespace(kubectl, io.env)
  return ofContext.kind === 'failure' ? ofContext : ofContext.text.trim() || DEFAULT_NAMESPACE
}

/** kubectl always accepts JSON only, so the query requests the text. */
function queryOf({ format, include }: ExplainQuestion): string {
  const parameters = [
    ...(format === 'text' ? ['format=text'] : []),
    ...(include.length === 0 ? [] : [`include=${include.join(',')}`]),
  ]
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`
}

async function askSidecar(
  { url, caFile, insecure, patience }: SidecarTarget,
  question: ExplainQuestion,
  io: Io,
): Promise<Answer> {
  const inputs = caFile === undefined ? { found: [], problems: [] } : await readInputs([caFile], io)
  const [problem] = inputs.problems
  if (problem !== undefined) return { kind: 'failure', reason: problem }
  const ca = inputs.found[0]?.text
  // Node takes a text without certificates for an authority that has issued nothing.
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    return { kind: 'failure', reason: `${caFile}: expected CA certificates (PEM), found none` }
  }
  const accept = question.format === 'text' ? 'text/plain' : 'application/json'
  const asked = new URL(queryOf(question), url)
  return httpsGet(asked, { accept, ca, insecure, patience })
}
