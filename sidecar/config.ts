// The sidecar's environment: reads and checks each variable, and holds its row of `--help`. Opens none of the files that
// it names.

import { X509Certificate } from 'node:crypto'
import { socketPath } from '#flux/wire/connection.ts'
import type { CredentialOptions } from '#identity/credentials.ts'
import type { Authority } from '#identity/issued-credentials.ts'
import { Environment, type LogLevel, type Variable, type Variables } from '#serving/env.ts'
import type { ConfigReading } from '#serving/program.ts'

/** Every variable the sidecar reads, in the order of `--help`. */
export const VARIABLES: readonly Variable[] = [
  {
    name: 'FLUX_URI',
    fallback: 'local:///mnt/flux/config/run/flux/local',
    meaning: "the broker's socket, as Flux spells it",
  },
  { name: 'LISTEN_ADDRESS', fallback: 'all addresses', meaning: 'address to serve HTTPS on' },
  { name: 'LISTEN_PORT', fallback: '8443', meaning: 'port to serve HTTPS on, 0 for any free one' },
  {
    name: 'TLS_CERT_FILE',
    fallback: 'self-signed',
    meaning: 'serving certificate (PEM), read again when it changes',
  },
  {
    name: 'TLS_KEY_FILE',
    fallback: 'self-signed',
    meaning: 'its private key (PEM), read again when it changes',
  },
  {
    name: 'CLIENT_CA_FILE',
    fallback: 'none, anyone may read',
    meaning: 'front-proxy CA (PEM), read again when it changes',
  },
  {
    name: 'CLIENT_ALLOWED_NAMES',
    fallback: 'any name',
    meaning: 'common names of the front proxy, comma separated',
  },
  {
    name: 'IDENTITY_URL',
    fallback: 'none',
    meaning:
      'the webhook, which issues the certificate and sends the front-proxy CA; instead of the four above',
  },
  {
    name: 'IDENTITY_TOKEN_FILE',
    fallback: 'none',
    meaning: 'projected token by which the webhook knows the pod',
  },
  {
    name: 'IDENTITY_CA',
    fallback: 'none',
    meaning: "the webhook's CA certificate (PEM, not a file)",
  },
  { name: 'NAMESPACE', fallback: 'default', meaning: 'namespace of the MiniCluster' },
  { name: 'MINICLUSTER', fallback: 'flux-sample', meaning: 'name of the MiniCluster' },
  {
    name: 'SERVICE_NAME',
    fallback: 'custom-metrics-apiserver',
    meaning: 'Service that the same metrics describe',
  },
  {
    name: 'METRICS_FILE',
    fallback: 'none',
    meaning: 'user-defined metrics (YAML), read again when it changes',
  },
  { name: 'MAX_AGE_SECONDS', fallback: '30', meaning: 'older snapshots are not served' },
  {
    name: 'IDLE_GRACE_SECONDS',
    fallback: '60',
    meaning: 'how long a released node still counts as busy, and a wanted size is still published',
  },
  {
    name: 'DRAIN',
    fallback: 'false',
    meaning: "drain nodes in Flux before a smaller size is published; needs the broker's UID",
  },
  {
    name: 'EXTERNAL_METRICS',
    fallback: 'false',
    meaning: 'serve external.metrics.k8s.io/v1beta1 as well',
  },
  {
    name: 'EXIT_WITH_BROKER',
    fallback: 'false',
    meaning: 'exit 0 when the broker has ended for good; for clusters without native sidecars',
  },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: 'fatal error warn info debug trace silent' },
]

/** A checked configuration, frozen. */
export interface Config extends Omit<CredentialOptions, 'names'> {
  /** What the metrics describe. The certificate is for names made of these. */
  readonly names: {
    readonly namespace: string
    readonly minicluster: string
    /** The Service in front of the sidecar. */
    readonly serviceName: string
  }
  /** Path of the broker's socket. */
  readonly socketPath: string
  readonly listen: { readonly address: string | undefined; readonly port: number }
  /** File of user-defined metrics. It may appear later: its ConfigMap is optional. */
  readonly metricsFile: string | undefined
  readonly maxAgeMs: number
  readonly idleGraceMs: number
  readonly drain: boolean
  readonly externalMetrics: boolean
  readonly exitWithBroker: boolean
  readonly logLevel: LogLevel
}

/** Below this a snapshot would be stale before the next one is taken (at least every 10 s). */
const MIN_AGE_SECONDS = 15
const MAX_AGE_SECONDS = 3600

/**
 * Reads the configuration.
 *
 * @returns the configuration, or one sentence for each problem
 */
export function readConfig(variables: Variables): ConfigReading<Config> {
  const env = new Environment(variables)
  const config: Config = Object.freeze({
    socketPath: readSocketPath(env),
    listen: { address: env.optional('LISTEN_ADDRESS'), port: env.port('LISTEN_PORT', 8443) },
    tls: readTls(env),
    clientCaFile: env.file('CLIENT_CA_FILE'),
    clientAllowedNames: readAllowedNames(env),
    authority: readAuthority(env),
    names: {
      namespace: env.label('NAMESPACE', 'default'),
      minicluster: env.label('MINICLUSTER', 'flux-sample'),
      serviceName: env.label('SERVICE_NAME', 'custom-metrics-apiserver'),
    },
    metricsFile: env.optional('METRICS_FILE'),
    maxAgeMs:
      1000 * env.integer('MAX_AGE_SECONDS', 30, { min: MIN_AGE_SECONDS, max: MAX_AGE_SECONDS }),
    idleGraceMs: 1000 * env.integer('IDLE_GRACE_SECONDS', 60, { min: 0, max: 3600 }),
    drain: env.boolean('DRAIN', false),
    externalMetrics: env.boolean('EXTERNAL_METRICS', false),
    exitWithBroker: env.boolean('EXIT_WITH_BROKER', false),
    logLevel: env.level('LOG_LEVEL', 'info'),
  })
  if (env.problems.length > 0) return { kind: 'problems', problems: env.problems }
  return { kind: 'config', config }
}

function readSocketPath(env: Environment): string {
  const uri = env.string('FLUX_URI', 'local:///mnt/flux/config/run/flux/local')
  try {
    return socketPath(uri)
  } catch {
    env.problem('FLUX_URI', '"local://" and an absolute path of at most 107 bytes')
    return ''
  }
}

function readTls(env: Environment): Config['tls'] {
  const cert = env.file('TLS_CERT_FILE')
  const key = env.file('TLS_KEY_FILE')
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert !== undefined) env.problem('TLS_KEY_FILE', 'the key that belongs to TLS_CERT_FILE')
  if (key !== undefined)
    env.problem('TLS_CERT_FILE', 'the certificate that belongs to TLS_KEY_FILE')
  return undefined
}

function readAllowedNames(env: Environment): readonly string[] {
  const names = env.list('CLIENT_ALLOWED_NAMES')
  if (names.length > 0 && env.optional('CLIENT_CA_FILE') === undefined) {
    env.problem('CLIENT_CA_FILE', 'the CA file of the clients in CLIENT_ALLOWED_NAMES')
  }
  return names
}

/** Variables that the authority replaces. With both, they could contradict each other. */
const FILE_VARIABLES = ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'CLIENT_CA_FILE', 'CLIENT_ALLOWED_NAMES']

function readAuthority(env: Environment): Authority | undefined {
  const url = env.optional('IDENTITY_URL')
  const tokenFile = env.file('IDENTITY_TOKEN_FILE')
  const ca = env.optional('IDENTITY_CA')
  if (url === undefined) {
    const problem = (name: string) => env.problem('IDENTITY_URL', `the webhook that ${name} is for`)
    if (tokenFile !== undefined) problem('IDENTITY_TOKEN_FILE')
    if (ca !== undefined) problem('IDENTITY_CA')
    return undefined
  }
  if (!isHttpsOrigin(url))
    env.problem('IDENTITY_URL', '"https://" and a host, with or without port')
  if (env.optional('IDENTITY_TOKEN_FILE') === undefined) {
    env.problem('IDENTITY_TOKEN_FILE', 'the file of the token for IDENTITY_URL')
  }
  if (!isCertificate(ca)) env.problem('IDENTITY_CA', 'a CA certificate in PEM')
  for (const name of FILE_VARIABLES) {
    if (env.optional(name) !== undefined) env.problem(name, 'no value because IDENTITY_URL is set')
  }
  return { url, tokenFile: tokenFile ?? '', ca: ca ?? '' }
}

function isHttpsOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' && url.origin === text.replace(/\/$/, '')
}

function isCertificate(pem: string | undefined): boolean {
  try {
    return pem !== undefined && new X509Certificate(pem).ca
  } catch {
    return false
  }
}
