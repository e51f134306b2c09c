import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, readConfig, VARIABLES } from '../../webhook/config.ts'

/** A file that exists. Only its presence is checked here, not its content. */
const FILE = import.meta.filename
const NOWHERE = '/nowhere/at/all'

/** The least environment of a pod. */
const POD = { SIDECAR_IMAGE: 'sidecar:1', KUBERNETES_SERVICE_HOST: '10.96.0.1' }

function config(variables: Record<string, string>): Config {
  const result = readConfig(variables)
  assert.equal(result.kind, 'config')
  return result.config
}

function problems(variables: Record<string, string>): readonly string[] {
  const result = readConfig(variables)
  assert.equal(result.kind, 'problems')
  return result.problems
}

test('readConfig has a default for everything but the image', () => {
  assert.deepEqual(config(POD), {
    sidecarImage: 'sidecar:1',
    sidecarImagePullPolicy: undefined,
    listen: { address: undefined, port: 8443 },
    certificatesPort: 8444,
    healthPort: 8080,
    clients: undefined,
    namespace: 'flux-metrics',
    service: 'flux-metrics-webhook',
    tls: undefined,
    kubeconfig: undefined,
    logLevel: 'info',
  })
})

test('readConfig reads every variable', () => {
  assert.deepEqual(
    config({
      SIDECAR_IMAGE: 'registry.example/sidecar@sha256:0123',
      SIDECAR_IMAGE_PULL_POLICY: 'Never',
      LISTEN_ADDRESS: '127.0.0.1',
      LISTEN_PORT: '9443',
      CERTIFICATES_PORT: '9444',
      HEALTH_PORT: '9080',
      CLIENT_CA_FILE: FILE,
      CLIENT_ALLOWED_NAMES: 'kube-apiserver, admission',
      NAMESPACE: 'metrics',
      WEBHOOK_SERVICE: 'hook',
      CERTIFICATES: 'files',
      TLS_CERT_FILE: FILE,
      TLS_KEY_FILE: FILE,
      KUBECONFIG: FILE,
      LOG_LEVEL: 'debug',
    }),
    {
      sidecarImage: 'registry.example/sidecar@sha256:0123',
      sidecarImagePullPolicy: 'Never',
      listen: { address: '127.0.0.1', port: 9443 },
      certificatesPort: 9444,
      healthPort: 9080,
      clients: { caFile: FILE, allowedNames: ['kube-apiserver', 'admission'] },
      namespace: 'metrics',
      service: 'hook',
      tls: { cert: FILE, key: FILE },
      kubeconfig: FILE,
      logLevel: 'debug',
    },
  )
})

test('readConfig is frozen', () => {
  assert.ok(Object.isFrozen(config(POD)))
})

test('readConfig reports all problems together', () => {
  assert.deepEqual(
    problems({
      SIDECAR_IMAGE_PULL_POLICY: 'Sometimes',
      LISTEN_PORT: 'https',
      NAMESPACE: 'Metrics',
      WEBHOOK_SERVICE: 'hook.metrics',
      CERTIFICATES: 'cert-manager',
      LOG_LEVEL: 'loud',
    }),
    [
      'SIDECAR_IMAGE: expected the image of the sidecar, it is not set',
      'SIDECAR_IMAGE_PULL_POLICY: expected one of Always, IfNotPresent, Never, got "Sometimes"',
      'LISTEN_PORT: expected an integer from 0 to 65535, got "https"',
      'NAMESPACE: expected a name of at most 63 lower-case letters, digits and "-", got "Metrics"',
      'WEBHOOK_SERVICE: expected a name of at most 63 lower-case letters, digits and "-", got "hook.metrics"',
      'CERTIFICATES: expected one of self, files, got "cert-manager"',
      'KUBECONFIG: expected a kubeconfig file, because this program does not run in a pod, it is not set',
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "loud"',
    ],
  )
})

test('readConfig refuses an image with blanks', () => {
  assert.deepEqual(problems({ ...POD, SIDECAR_IMAGE: 'sidecar: 1' }), [
    'SIDECAR_IMAGE: expected the image of the sidecar, got "sidecar: 1"',
  ])
})

test('readConfig requires certificate and key for CERTIFICATES=files', () => {
  assert.deepEqual(problems({ ...POD, CERTIFICATES: 'files' }), [
    'TLS_CERT_FILE: expected a certificate, because CERTIFICATES is "files", it is not set',
    'TLS_KEY_FILE: expected a private key, because CERTIFICATES is "files", it is not set',
  ])
})

test('readConfig requires files that can be read', () => {
  const files = { TLS_CERT_FILE: NOWHERE, TLS_KEY_FILE: FILE, KUBECONFIG: NOWHERE }
  assert.deepEqual(problems({ ...POD, CERTIFICATES: 'files', ...files }), [
    `TLS_CERT_FILE: expected a file that can be read, got "${NOWHERE}"`,
    `KUBECONFIG: expected a file that can be read, got "${NOWHERE}"`,
  ])
})

test('readConfig refuses files with CERTIFICATES=self, which would not serve them', () => {
  for (const more of [{}, { CERTIFICATES: 'self' }]) {
    assert.deepEqual(problems({ ...POD, TLS_CERT_FILE: FILE, TLS_KEY_FILE: FILE, ...more }), [
      `TLS_CERT_FILE: expected nothing, because CERTIFICATES is not "files", got "${FILE}"`,
      `TLS_KEY_FILE: expected nothing, because CERTIFICATES is not "files", got "${FILE}"`,
    ])
  }
})

test('readConfig accepts a kubeconfig outside of a pod', () => {
  assert.equal(config({ SIDECAR_IMAGE: 'sidecar:1', KUBECONFIG: FILE }).kubeconfig, FILE)
})

test('VARIABLES names each variable once', () => {
  const names = VARIABLES.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
})

test('readConfig wants a port of its own for each server', () => {
  assert.deepEqual(problems({ ...POD, CERTIFICATES_PORT: '8443', HEALTH_PORT: '8443' }), [
    'CERTIFICATES_PORT: expected a port of its own, got "8443"',
    'HEALTH_PORT: expected a port of its own, got "8443"',
  ])
  const { certificatesPort, healthPort } = config({
    ...POD,
    LISTEN_PORT: '0',
    CERTIFICATES_PORT: '0',
    HEALTH_PORT: '0',
  })
  assert.deepEqual([certificatesPort, healthPort], [0, 0])
})

test('readConfig wants the CA of the clients that are allowed', () => {
  assert.deepEqual(problems({ ...POD, CLIENT_ALLOWED_NAMES: 'kube-apiserver' }), [
    'CLIENT_CA_FILE: expected the CA file of the clients in CLIENT_ALLOWED_NAMES, it is not set',
  ])
})
