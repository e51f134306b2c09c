// `flux-metrics inject`: the pod of a MiniCluster as the webhook would admit it. Its flags and its help.
import { CERTIFICATES_PORT } from '../../contract.ts'
import type { AuthorityAddress, FrontProxy } from '../../injection/container.ts'
import { type Command, type ExitCode, type Io, refuseUsage } from '../command.ts'
import { DEFAULT_NAMESPACE, problemOfNamespace, readFlags } from '../input/flags.ts'
import { DEFAULT_KUBERNETES, readKubernetesFlag } from '../input/kubernetes-flag.ts'
import { type Format, type InjectionSettings, reviewDocuments } from './review-documents.ts'

/** The sidecar's image without its tag, as in manifests/. */
export const SIDECAR_IMAGE = 'flux-metrics-sidecar'

const DEFAULT_URL = `https://flux-metrics-webhook.flux-metrics.svc:${CERTIFICATES_PORT}`

/** Placeholders for values that only a cluster has. */
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
  summary: 'print the pod of a MiniCluster as the webhook would admit it',
  help: ({ version }) => `Usage: flux-metrics inject [-f FILE]... [options]

Prints the index-0 pod of a MiniCluster as the webhook would admit it, or the
reason why the webhook would not inject the sidecar. This command contacts no
cluster; it runs the code of the webhook.

Reads MiniClusters, Jobs and pods, YAML or JSON, as "kubectl get -o yaml" prints
them, and the LimitRanges and ResourceQuotas of their namespaces, into which the
sidecar is fitted. Objects of other kinds are skipped. For a pod, its Job and
its MiniCluster must be in the input as well. For a MiniCluster without Job, and
for a Job without pod, the command makes the index-0 pod as the Flux Operator
and the Job controller would make it. A MiniCluster that no API server has
stored gets the annotations first by which node autoscalers leave its pods
where they are, as the webhook would add them; --diff prints this too. Where an
object has generateName and no name, * stands for what the API server adds.

  -f, --filename FILE    file to read, - for standard input; repeatable
                         [standard input]
  -n, --namespace NAME   namespace of objects that name none [${DEFAULT_NAMESPACE}]
      --diff             print only the changes that the webhook makes
  -o, --output FORMAT    yaml or json [yaml]
      --kubernetes X.Y   version of the API server [${DEFAULT_KUBERNETES}]
      --image IMAGE      image of the sidecar
                         [${imageOf(version)}]
      --webhook-url URL  where sidecars obtain their certificates, or "none"
                         [${DEFAULT_URL}]

The pods are written to standard output; problems, warnings and reasons are
written to standard error. Values that only a cluster has, such as CA
certificates, are printed as <...>. Exit codes: 0 injected; 1 not injected;
2 wrong usage or input.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const settings = readSettings(args, io)
  if (typeof settings === 'object') return reviewDocuments(settings, io)
  return refuseUsage(io, 'inject', settings)
}

/** @returns a sentence if the arguments are wrong */
function readSettings(args: readonly string[], { version }: Io): InjectionSettings | string {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return flags.problem
  const { values } = flags
  const { kubernetes = DEFAULT_KUBERNETES, output = 'yaml', image = imageOf(version) } = values
  const serverVersion = readKubernetesFlag(kubernetes)
  if (typeof serverVersion === 'string') return serverVersion
  const { namespace = DEFAULT_NAMESPACE } = values
  const wrong = problemOfNamespace(namespace)
  if (wrong !== undefined) return wrong
  if (!isFormat(output)) return `--output: expected yaml or json, got "${output}"`
  if (!/^\S+$/.test(image)) return `--image: expected an image, got "${image}"`
  const identity = identityAt(values['webhook-url'] ?? DEFAULT_URL)
  if (typeof identity === 'string') return identity
  return {
    files: values.filename ?? [],
    namespace,
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

/** @returns null for `none`, a sentence if the URL is malformed */
function identityAt(url: string): AuthorityAddress | null | string {
  if (url === 'none') return null
  const isHttps = URL.canParse(url) && new URL(url).protocol === 'https:'
  return isHttps ? { url, ca: CA } : `--webhook-url: expected an https URL or none, got "${url}"`
}
