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
  { name: 'LISTEN_ADDRESS', fallback: 'all addresses', meaning: 'address to serve HTTPS on' },
  { name: 'LISTEN_PORT', fallback: '8443', meaning: 'port to serve HTTPS on, 0 for any free one' },
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
    listen: { address: env.optional('LISTEN_ADDRESS'), port: env.port('LISTEN_PORT', 8443) },
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
