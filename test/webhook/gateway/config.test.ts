import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, VARIABLES } from '../../../webhook/gateway/config.ts'
import { createAuthority } from '../../support/certificates.ts'

/** A file that exists. Only its presence is checked here, not its content. */
const FILE = import.meta.filename

const { cert: CA } = await createAuthority('webhook')

/** The least environment of a pod. */
const POD = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  IDENTITY_URL: 'https://flux-metrics-webhook.flux-metrics.svc:8444',
  IDENTITY_TOKEN_FILE: FILE,
  IDENTITY_CA: CA,
}

function config(variables: Record<string, string>) {
  const result = readConfig(variables)
  assert.equal(result.kind, 'config', JSON.stringify(result))
  return result.config
}

function problems(variables: Record<string, string>): readonly string[] {
  const result = readConfig(variables)
  assert.equal(result.kind, 'problems')
  return result.problems
}

test('readConfig has a default for everything but the identity', () => {
  assert.deepEqual(config(POD), {
    listen: { address: undefined, port: 8443 },
    healthPort: 8080,
    namespace: 'flux-metrics',
    service: 'flux-metrics-gateway',
    authority: { url: POD.IDENTITY_URL, tokenFile: FILE, ca: CA },
    upstreams: { custom: undefined, external: undefined },
    externalMetrics: false,
    kubeconfig: undefined,
    logLevel: 'info',
  })
})

test('readConfig reads the adapters', () => {
  const { upstreams, externalMetrics } = config({
    ...POD,
    EXTERNAL_METRICS: 'true',
    UPSTREAM_CUSTOM_METRICS: 'monitoring/prometheus-adapter:443',
    UPSTREAM_CUSTOM_METRICS_CA_FILE: FILE,
    UPSTREAM_EXTERNAL_METRICS: 'keda/keda-operator-metrics-apiserver:443',
    UPSTREAM_EXTERNAL_METRICS_INSECURE: 'true',
  })
  assert.equal(externalMetrics, true)
  assert.deepEqual(upstreams, {
    custom: { namespace: 'monitoring', service: 'prometheus-adapter', port: 443, caFile: FILE },
    external: {
      namespace: 'keda',
      service: 'keda-operator-metrics-apiserver',
      port: 443,
      caFile: undefined,
    },
  })
})

test('readConfig names all problems at once', () => {
  const found = problems({
    LISTEN_PORT: '8080',
    IDENTITY_URL: 'http://webhook',
    IDENTITY_TOKEN_FILE: '/nowhere/at/all',
    UPSTREAM_EXTERNAL_METRICS: 'keda/adapter:443',
    UPSTREAM_EXTERNAL_METRICS_INSECURE: 'true',
  })
  for (const name of [
    'HEALTH_PORT',
    'IDENTITY_URL',
    'IDENTITY_TOKEN_FILE',
    'IDENTITY_CA',
    'EXTERNAL_METRICS',
    'KUBECONFIG',
  ]) {
    assert.equal(found.filter((text) => text.includes(name)).length, 1, name)
  }
})

test('the help has every variable once', () => {
  const names = VARIABLES.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const name of Object.keys(POD).slice(1)) assert.ok(names.includes(name), name)
})
