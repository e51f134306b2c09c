// The gateway's environment: every variable with its default, its meaning and its checks. Reads no other source.
import { X509Certificate } from 'node:crypto'
import type { Authority } from '#identity/issued-credentials.ts'
import { Environment, type LogLevel, type Variable, type Variables } from '#serving/env.ts'
import type { ConfigReading } from '#serving/program.ts'
import { GATEWAY } from '../contract.ts'
import { readUpstream, type UpstreamTarget } from './upstream/upstream-target.ts'

/** Every variable that the gateway reads, in the order of `--help`. */
export const VARIABLES: readonly Variable[] = [
  { name: 'LISTEN_ADDRESS', fallback: 'all addresses', meaning: 'address to serve on' },
  { name: 'LISTEN_PORT', fallback: '8443', meaning: 'port of the API (HTTPS), 0 for any free one' },
  {
    name: 'HEALTH_PORT',
    fallback: '8080',
    meaning: 'port of health and Prometheus metrics (HTTP), 0 for any free one',
  },
  { name: 'NAMESPACE', fallback: 'flux-metrics', meaning: 'namespace of the gateway' },
  { name: 'GATEWAY_SERVICE', fallback: GATEWAY, meaning: 'Service that leads to the gateway' },
  {
    name: 'IDENTITY_URL',
    fallback: 'required',
    meaning: 'the webhook, which issues the certificate and sends the front-proxy CA',
  },
  {
    name: 'IDENTITY_TOKEN_FILE',
    fallback: 'required',
    meaning: 'projected token by which the webhook knows the gateway',
  },
  {
    name: 'IDENTITY_CA',
    fallback: 'required',
    meaning: "the webhook's CA certificate (PEM, not a file)",
  },
  {
    name: 'UPSTREAM_CUSTOM_METRICS',
    fallback: 'none',
    meaning: 'adapter that has all other custom metrics, namespace/service:port',
  },
  {
    name: 'UPSTREAM_CUSTOM_METRICS_CA_FILE',
    fallback: 'none',
    meaning: 'CA of its certificate (PEM), read again when it changes',
  },
  {
    name: 'UPSTREAM_CUSTOM_METRICS_INSECURE',
    fallback: 'false',
    meaning: 'instead of the CA: take any certificate',
  },
  {
    name: 'UPSTREAM_EXTERNAL_METRICS',
    fallback: 'none',
    meaning: 'adapter that has all other external metrics, namespace/service:port',
  },
  {
    name: 'UPSTREAM_EXTERNAL_METRICS_CA_FILE',
    fallback: 'none',
    meaning: 'CA of its certificate (PEM), read again when it changes',
  },
  {
    name: 'UPSTREAM_EXTERNAL_METRICS_INSECURE',
    fallback: 'false',
    meaning: 'instead of the CA: take any certificate',
  },
  {
    name: 'EXTERNAL_METRICS',
    fallback: 'false',
    meaning: 'serve external.metrics.k8s.io/v1beta1 as well',
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
  readonly listen: { readonly address: string | undefined; readonly port: number }
  readonly healthPort: number
  readonly namespace: string
  readonly service: string
  readonly authority: Authority
  /** The adapters that served the groups before; `undefined` where there was none. */
  readonly upstreams: {
    readonly custom: UpstreamTarget | undefined
    readonly external: UpstreamTarget | undefined
  }
  readonly externalMetrics: boolean
  readonly kubeconfig: string | undefined
  readonly logLevel: LogLevel
}

export function readConfig(variables: Variables): ConfigReading<Config> {
  const env = new Environment(variables)
  const config: Config = Object.freeze({
    ...readPorts(env),
    namespace: env.label('NAMESPACE', 'flux-metrics'),
    service: env.label('GATEWAY_SERVICE', GATEWAY),
    authority: readAuthority(env),
    ...readGroups(env),
    kubeconfig: readKubeconfig(env),
    logLevel: env.level('LOG_LEVEL', 'info'),
  })
  if (env.problems.length > 0) return { kind: 'problems', problems: env.problems }
  return { kind: 'config', config }
}

function readPorts(env: Environment): Pick<Config, 'listen' | 'healthPort'> {
  const port = env.port('LISTEN_PORT', 8443)
  const healthPort = env.port('HEALTH_PORT', 8080)
  if (healthPort !== 0 && healthPort === port) env.problem('HEALTH_PORT', 'a port of its own')
  return { listen: { address: env.optional('LISTEN_ADDRESS'), port }, healthPort }
}

function readAuthority(env: Environment): Authority {
  const url = env.string('IDENTITY_URL', '')
  if (!isHttpsOrigin(url))
    env.problem('IDENTITY_URL', '"https://" and a host, with or without port')
  const tokenFile = env.file('IDENTITY_TOKEN_FILE')
  if (env.optional('IDENTITY_TOKEN_FILE') === undefined)
    env.problem('IDENTITY_TOKEN_FILE', 'the file of the token for IDENTITY_URL')
  const ca = env.string('IDENTITY_CA', '')
  if (!isCertificate(ca)) env.problem('IDENTITY_CA', 'a CA certificate in PEM')
  return { url, tokenFile: tokenFile ?? '', ca }
}

/** An adapter of a group that is not served would never be asked. */
function readGroups(env: Environment): Pick<Config, 'upstreams' | 'externalMetrics'> {
  const custom = readUpstream(env, 'UPSTREAM_CUSTOM_METRICS')
  const external = readUpstream(env, 'UPSTREAM_EXTERNAL_METRICS')
  const externalMetrics = env.boolean('EXTERNAL_METRICS', false)
  if (external !== undefined && !externalMetrics)
    env.problem('EXTERNAL_METRICS', '"true", because UPSTREAM_EXTERNAL_METRICS is set')
  return { upstreams: { custom, external }, externalMetrics }
}

/** In a pod it is not needed: there the kubelet sets KUBERNETES_SERVICE_HOST. */
function readKubeconfig(env: Environment): string | undefined {
  const path = env.file('KUBECONFIG')
  if (path === undefined && env.optional('KUBERNETES_SERVICE_HOST') === undefined) {
    env.problem('KUBECONFIG', 'a kubeconfig file, because this program does not run in a pod')
  }
  return path
}

function isHttpsOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' && url.origin === text.replace(/\/$/, '')
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}
