// `flux-metrics inject`: the pod as the webhook would admit it, or why not. Here are its flags and its help.
import type { AuthorityAddress, FrontProxy } from '../../injection/container.ts'
import { type Command, type ExitCode, type Io, reportProblems } from '../command.ts'
import { readFlags } from '../input/flags.ts'
import { DEFAULT_KUBERNETES, readServerVersion } from '../input/server-version.ts'
import { type Format, type InjectionSettings, inject } from './review-documents.ts'

/** The sidecar's image without its tag, as manifests/ name it. */
export const SIDECAR_IMAGE = 'flux-metrics-sidecar'

const DEFAULT_URL = 'https://flux-metrics-webhook.flux-metrics.svc'
const DEFAULT_NAMESPACE = 'default'

/** What is known in a cluster alone. */
const CA = "<the webhook's CA certificate>"
const FRONT_PROXY: FrontProxy = {
  clientCa: "<the front proxy's CA certificate>",
  allowedNames: ["<the front proxy's names>"],
}

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  namespace: { type: 'string', short: 'n' },
  output: { type: 'string', short: 'o' },
  diff: { type: 'boolean' },
  kubernetes: { type: 'string' },
  image: { type: 'string' },
  'webhook-url': { type: 'string' },
} as const

export const INJECT: Command = {
  name: 'inject',
  summary: 'print the pod of a MiniCluster as the webhook would admit it, or why not',
  help: ({ version }) => `Usage: flux-metrics inject [-f FILE]... [options]

Prints the index-0 pod of a MiniCluster as the webhook would admit it, or the reason why
it would be left as it is. Asks no cluster; the code is the webhook's own.

Reads MiniClusters, Jobs and pods, YAML or JSON, as "kubectl get -o yaml" prints them;
other objects are passed over. A pod needs its Job and its MiniCluster beside it. Of a
MiniCluster without Job, and of a Job without pod, the index-0 pod is made as the Flux
Operator and the Job controller make it.

  -f, --filename FILE    file to read, - for standard input; repeatable [standard input]
  -n, --namespace NAME   namespace of the objects that name none [${DEFAULT_NAMESPACE}]
      --diff             print what the webhook changes, not the whole pod
  -o, --output FORMAT    yaml or json [yaml]
      --kubernetes X.Y   version of the API server [${DEFAULT_KUBERNETES}]
      --image IMAGE      the sidecar's image [${imageOf(version)}]
      --webhook-url URL  where sidecars obtain certificates, "none": nowhere
                         [${DEFAULT_URL}]

Pods go to standard output, all else to standard error. What only a cluster knows, such
as CA certificates, is printed as <…>. Exit code: 0 injected, 1 left as it is, 2 wrong
usage or input.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const settings = readSettings(args, io)
  if (typeof settings === 'object') return inject(settings, io)
  return reportProblems(io, [`flux-metrics inject: ${settings}`, 'See flux-metrics inject --help'])
}

/** @returns a sentence if something is wrong with them */
function readSettings(args: readonly string[], { version }: Io): InjectionSettings | string {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return flags.problem
  const { values } = flags
  const { kubernetes = DEFAULT_KUBERNETES, output = 'yaml', image = imageOf(version) } = values
  const serverVersion = readServerVersion(kubernetes)
  if (typeof serverVersion === 'string') return serverVersion
  if (!isFormat(output)) return `--output: expected yaml or json, got "${output}"`
  if (!/^\S+$/.test(image)) return `--image: expected an image, got "${image}"`
  const identity = identityAt(values['webhook-url'] ?? DEFAULT_URL)
  if (typeof identity === 'string') return identity
  return {
    files: values.filename ?? [],
    namespace: values.namespace ?? DEFAULT_NAMESPACE,
    format: output,
    diff: values.diff ?? false,
    serverVersion,
    sidecar: {
      image,
      imagePullPolicy: 'IfNotPresent',
      version,
      identity: identity ?? undefined,
      frontProxy: FRONT_PROXY,
    },
  }
}

function imageOf(version: string): string {
  return `${SIDECAR_IMAGE}:${version}`
}

function isFormat(text: string): text is Format {
  return text === 'yaml' || text === 'json'
}

/** @returns null for none, a sentence if it is no good */
function identityAt(url: string): AuthorityAddress | null | string {
  if (url === 'none') return null
  const isHttps = URL.canParse(url) && new URL(url).protocol === 'https:'
  return isHttps ? { url, ca: CA } : `--webhook-url: expected an https URL or none, got "${url}"`
}
