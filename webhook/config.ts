// The webhook's environment: every variable with its default, its meaning and its checks. Reads no other source.
import { Environment, type LogLevel, type Variable, type Variables } from '#serving/env.ts'
import type { ConfigReading } from '#serving/program.ts'

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const CERTIFICATES = ['self', 'files']

/** Every variable that the webhook reads, in the order of `--help`. */
export const VARIABLES: readonly Variable[] = [
  { name: 'SIDECAR_IMAGE', fallback: 'required', meaning: 'image of the sidecar' },
  {
    name: 'SIDECAR_IMAGE_PULL_POLICY',
    fallback: "the cluster's",
    meaning: `when the kubelet pulls it: ${PULL_POLICIES.join(', ')}`,
  },
  { name: 'LISTEN_ADDRESS', fallback: 'all addresses', meaning: 'address to serve on' },
  { name: 'LISTEN_PORT', fallback: '8443', meaning: 'port of reviews (HTTPS), 0 for any free one' },
  {
    name: 'CERTIFICATES_PORT',
    fallback: '8444',
    meaning: 'port of the certificates of sidecars (HTTPS), 0 for any free one',
  },
  {
    name: 'HEALTH_PORT',
    fallback: '8080',
    meaning: 'port of health and Prometheus metrics (HTTP), 0 for any free one',
  },
  {
    name: 'CLIENT_CA_FILE',
    fallback: 'none, anyone may send reviews',
    meaning: 'CA of the client certificates of API servers (PEM), read again when it changes',
  },
  {
    name: 'CLIENT_ALLOWED_NAMES',
    fallback: 'any name',
    meaning: 'common names of these certificates, comma separated',
  },
  { name: 'NAMESPACE', fallback: 'flux-metrics', meaning: 'namespace of the webhook' },
  {
    name: 'WEBHOOK_SERVICE',
    fallback: 'flux-metrics-webhook',
    meaning: 'Service that leads to the webhook',
  },
  {
    name: 'CERTIFICATES',
    fallback: 'self',
    meaning: 'self: the webhook issues its own certificate and those of sidecars; files: provided',
  },
  {
    name: 'TLS_CERT_FILE',
    fallback: 'none',
    meaning: 'for CERTIFICATES=files: serving certificate (PEM), read again when it changes',
  },
  {
    name: 'TLS_KEY_FILE',
    fallback: 'none',
    meaning: 'its private key (PEM), read again when it changes',
  },
  {
    name: 'KUBECONFIG',
    fallback: "the pod's service account",
    meaning: 'kubeconfig file, to reach the API server from outside of the cluster',
  },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: 'fatal error warn info debug trace silent' },
]

/** A checked configuration, frozen. */
export interface Config {
  readonly sidecarImage: string
  readonly sidecarImagePullPolicy: string | undefined
  readonly listen: { readonly address: string | undefined; readonly port: number }
  readonly certificatesPort: number
  readonly healthPort: number
  /** The client certificates of API servers; without them reviews are taken from anybody. */
  readonly clients:
    | { readonly caFile: string; readonly allowedNames: readonly string[] }
    | undefined
  readonly namespace: string
  readonly service: string
  /** Files of the serving certificate; without them the webhook is its own authority. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly kubeconfig: string | undefined
  readonly logLevel: LogLevel
}

export function readConfig(variables: Variables): ConfigReading<Config> {
  const env = new Environment(variables)
  const config: Config = Object.freeze({
    sidecarImage: readImage(env),
    sidecarImagePullPolicy: readChoice(env, 'SIDECAR_IMAGE_PULL_POLICY', PULL_POLICIES),
    ...readPorts(env),
    clients: readClients(env),
    namespace: env.label('NAMESPACE', 'flux-metrics'),
    service: env.label('WEBHOOK_SERVICE', 'flux-metrics-webhook'),
    tls: readTls(env),
    kubeconfig: readKubeconfig(env),
    logLevel: env.level('LOG_LEVEL', 'info'),
  })
  if (env.problems.length > 0) return { kind: 'problems', problems: env.problems }
  return { kind: 'config', config }
}

/** In a pod it is not needed: there the kubelet sets KUBERNETES_SERVICE_HOST. */
function readKubeconfig(env: Environment): string | undefined {
  const path = env.file('KUBECONFIG')
  if (path === undefined && env.optional('KUBERNETES_SERVICE_HOST') === undefined) {
    env.problem('KUBECONFIG', 'a kubeconfig file, because this program does not run in a pod')
  }
  return path
}

function readImage(env: Environment): string {
  const image = env.string('SIDECAR_IMAGE', '')
  if (!/^\S+$/.test(image)) env.problem('SIDECAR_IMAGE', 'the image of the sidecar')
  return image
}

function readChoice(
  env: Environment,
  name: string,
  choices: readonly string[],
): string | undefined {
  const value = env.optional(name)
  if (value === undefined || choices.includes(value)) return value
  env.problem(name, `one of ${choices.join(', ')}`)
  return undefined
}

function readPorts(env: Environment): Pick<Config, 'listen' | 'certificatesPort' | 'healthPort'> {
  const port = env.port('LISTEN_PORT', 8443)
  const certificatesPort = env.port('CERTIFICATES_PORT', 8444)
  const healthPort = env.port('HEALTH_PORT', 8080)
  const isTaken = (own: number, ...others: number[]) => own !== 0 && others.includes(own)
  if (isTaken(certificatesPort, port)) env.problem('CERTIFICATES_PORT', 'a port of its own')
  if (isTaken(healthPort, port, certificatesPort)) env.problem('HEALTH_PORT', 'a port of its own')
  const address = env.optional('LISTEN_ADDRESS')
  return { listen: { address, port }, certificatesPort, healthPort }
}

function readClients(env: Environment): Config['clients'] {
  const caFile = env.file('CLIENT_CA_FILE')
  const allowedNames = env.list('CLIENT_ALLOWED_NAMES')
  if (caFile !== undefined) return { caFile, allowedNames }
  if (allowedNames.length > 0)
    env.problem('CLIENT_CA_FILE', 'the CA file of the clients in CLIENT_ALLOWED_NAMES')
  return undefined
}

/** Files beside CERTIFICATES=self are a problem: their certificate would not be served. */
function readTls(env: Environment): Config['tls'] {
  const mode = readChoice(env, 'CERTIFICATES', CERTIFICATES) ?? 'self'
  const cert = env.file('TLS_CERT_FILE')
  const key = env.file('TLS_KEY_FILE')
  if (mode === 'self') {
    if (cert !== undefined)
      env.problem('TLS_CERT_FILE', 'nothing, because CERTIFICATES is not "files"')
    if (key !== undefined)
      env.problem('TLS_KEY_FILE', 'nothing, because CERTIFICATES is not "files"')
    return undefined
  }
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === undefined)
    env.problem('TLS_CERT_FILE', 'a certificate, because CERTIFICATES is "files"')
  if (key === undefined)
    env.problem('TLS_KEY_FILE', 'a private key, because CERTIFICATES is "files"')
  return undefined
}
