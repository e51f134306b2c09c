// `flux-metrics explain`: why a MiniCluster has its size, in the words of its sidecar. Its flags and its help.
import { EXPLAIN as SUBRESOURCE } from '#metrics/metric.ts'
import { type Command, EXIT, type ExitCode, type Io, refuseUsage } from '../command.ts'
import type { Answer } from '../input/answer.ts'
import { DEFAULT_NAMESPACE, problemOfName, readArguments } from '../input/flags.ts'
import { readInputs } from '../input/inputs.ts'
import { getNamespace, getRaw, type KubectlFlags } from '../input/kubectl.ts'
import { httpsGet } from './https-get.ts'

const FLAGS = {
  namespace: { type: 'string', short: 'n' },
  jobs: { type: 'boolean' },
  json: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  url: { type: 'string' },
  ca: { type: 'string' },
  'certificate-authority': { type: 'string' },
  insecure: { type: 'boolean' },
  'insecure-skip-tls-verify': { type: 'boolean' },
} as const

const KUBECTL_FLAGS = ['namespace', 'kubeconfig', 'context'] as const
const SIDECAR_FLAGS = [
  'ca',
  'certificate-authority',
  'insecure',
  'insecure-skip-tls-verify',
] as const

/** The server that is asked. */
type Target =
  | {
      readonly kind: 'cluster'
      readonly name: string
      /** `undefined`: that of kubectl's context. */
      readonly namespace: string | undefined
      readonly kubectl: KubectlFlags
    }
  | {
      readonly kind: 'sidecar'
      readonly url: URL
      readonly caFile: string | undefined
      readonly insecure: boolean
    }

interface Question {
  readonly target: Target
  readonly format: Format
  /** Whether to say of each pending job what it waits for. */
  readonly jobs: boolean
}

const FORMATS = ['text', 'json', 'yaml'] as const

type Format = (typeof FORMATS)[number]

export const EXPLAIN: Command = {
  name: 'explain',
  summary: 'explain why a MiniCluster has its size, and what prevents another',
  help: () => `Usage: flux-metrics explain MINICLUSTER [options]
       flux-metrics explain --url URL [options]

Explains which size a MiniCluster should have and why: the jobs that keep nodes
busy, the jobs that wait for more nodes, the changes that an HPA would ignore,
and the settings that prevent another size, with a remedy for each. With the
gateway it says which pods are not there and why: no node, a quota, no image.

The command asks the metrics API of the cluster through kubectl. The user needs
permission to get miniclusters.flux-framework.org/explain in the API group
custom.metrics.k8s.io. With --url the command asks a sidecar directly. A sidecar
that accepts only the front proxy of the API server refuses this.

  -n, --namespace NAME   namespace of the MiniCluster [that of the context]
      --jobs             say of each of the first 50 pending jobs what it waits
                         for, and which ranks it would be given
  -o, --output FORMAT    text, or json or yaml, which have more details [text]
      --json             the same as -o json
      --kubeconfig FILE  passed to kubectl
      --context NAME     passed to kubectl
      --url URL          the sidecar, such as https://localhost:8443
      --ca, --certificate-authority FILE
                         CA certificates (PEM) that verify the certificate of
                         the sidecar [the CA certificates of Node.js]
      --insecure, --insecure-skip-tls-verify
                         do not verify the certificate of the sidecar

Exit codes: 0 the explanation is printed; 1 no answer; 2 wrong usage.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const question = readQuestion(args)
  if (typeof question === 'string') return refuseUsage(io, 'explain', question)
  const { target, format } = question
  const answer =
    target.kind === 'cluster'
      ? await askCluster(target, question, io)
      : await askSidecar(target, question, io)
  if (answer.kind === 'failure') {
    io.err.write(`flux-metrics explain: ${answer.reason}\n`)
    return EXIT.no
  }
  io.out.write(await render(answer.text, format))
  return EXIT.ok
}

/** Loads the yaml package only when it is used. */
async function render(text: string, format: Format): Promise<string> {
  if (format === 'text') return text
  if (format === 'json') return `${text.trimEnd()}\n`
  const { parse, stringify } = await import('yaml')
  return stringify(parse(text), { version: '1.1', lineWidth: 0, indentSeq: false })
}

function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text)
}

/** @returns a sentence if the arguments are wrong */
function readQuestion(args: readonly string[]): Question | string {
  const read = readArguments(args, FLAGS)
  if (read.kind === 'problem') return read.problem
  const { values, positionals } = read
  const { url, namespace, jobs = false, output = values.json ? 'json' : 'text' } = values
  if (!isFormat(output)) return `--output: expected text, json or yaml, got "${output}"`
  const format = output
  const [name, ...others] = positionals
  const excluded = url === undefined ? SIDECAR_FLAGS : KUBECTL_FLAGS
  const flag = excluded.find((candidate) => values[candidate] !== undefined)
  if (flag !== undefined) {
    return `--${flag}: cannot be used ${url === undefined ? 'without' : 'with'} --url`
  }
  if (others.length > 0) return `expected one MiniCluster, got ${positionals.join(' ')}`
  if (url !== undefined) {
    if (name !== undefined) return 'expected a MiniCluster or --url, got both'
    const target = sidecarAt(url, values)
    return typeof target === 'string' ? target : { target, format, jobs }
  }
  if (name === undefined) return 'expected the name of a MiniCluster'
  const wrong = problemOfName(name) ?? problemOfName(namespace ?? name)
  if (wrong !== undefined) return wrong
  const { kubeconfig, context } = values
  const kubectl = { kubeconfig, context }
  return { target: { kind: 'cluster', name, namespace, kubectl }, format, jobs }
}

async function askCluster(
  { name, namespace, kubectl }: Target & { readonly kind: 'cluster' },
  question: Question,
  io: Io,
): Promise<Answer> {
  if (namespace !== undefined) return getRaw(pathOf(name, namespace, question), kubectl, io.env)
  const ofContext = await getNamespace(kubectl, io.env)
  if (ofContext.kind === 'failure') return ofContext
  const current = ofContext.text.trim() || DEFAULT_NAMESPACE
  return getRaw(pathOf(name, current, question), kubectl, io.env)
}

function pathOf(name: string, namespace: string, question: Question): string {
  const api = '/apis/custom.metrics.k8s.io/v1beta2'
  const object = `namespaces/${namespace}/miniclusters.flux-framework.org/${name}`
  return `${api}/${object}/${SUBRESOURCE}${queryOf(question)}`
}

/** kubectl always accepts JSON only, so the query requests the text. */
function queryOf({ format, jobs }: Question): string {
  const parameters = [
    ...(format === 'text' ? ['format=text'] : []),
    ...(jobs ? ['include=jobs'] : []),
  ]
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`
}

function sidecarAt(
  text: string,
  flags: {
    readonly ca?: string
    readonly 'certificate-authority'?: string
    readonly insecure?: boolean
    readonly 'insecure-skip-tls-verify'?: boolean
  },
): Target | string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/') {
    return `--url: expected https://HOST:PORT, got "${text}"`
  }
  return {
    kind: 'sidecar',
    url: new URL(`/${SUBRESOURCE}`, url),
    caFile: flags.ca ?? flags['certificate-authority'],
    insecure: flags.insecure === true || flags['insecure-skip-tls-verify'] === true,
  }
}

async function askSidecar(
  { url, caFile, insecure }: Target & { readonly kind: 'sidecar' },
  question: Question,
  io: Io,
): Promise<Answer> {
  const inputs = caFile === undefined ? { found: [], problems: [] } : await readInputs([caFile], io)
  const [problem] = inputs.problems
  if (problem !== undefined) return { kind: 'failure', reason: problem }
  const accept = question.format === 'text' ? 'text/plain' : 'application/json'
  return httpsGet(new URL(queryOf(question), url), { accept, ca: inputs.found[0]?.text, insecure })
}
