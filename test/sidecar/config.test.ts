import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, readConfig, VARIABLES } from '../../sidecar/config.ts'
import { createAuthority } from '../support/certificates.ts'

/** A file that exists. Its content is not checked here. */
const FILE = import.meta.filename

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

test('readConfig has a default for everything', () => {
  assert.deepEqual(config({}), {
    socketPath: '/mnt/flux/config/run/flux/local',
    listen: { address: undefined, port: 8443 },
    tls: undefined,
    clientCaFile: undefined,
    clientAllowedNames: [],
    authority: undefined,
    names: {
      namespace: 'default',
      minicluster: 'flux-sample',
      serviceName: 'custom-metrics-apiserver',
    },
    metricsFile: undefined,
    maxAgeMs: 30_000,
    idleGraceMs: 60_000,
    drain: false,
    externalMetrics: false,
    exitWithBroker: false,
    logLevel: 'info',
  })
})

test('readConfig reads every variable', () => {
  assert.deepEqual(
    config({
      FLUX_URI: 'local:///run/flux/local',
      LISTEN_ADDRESS: '127.0.0.1',
      LISTEN_PORT: '9443',
      TLS_CERT_FILE: FILE,
      TLS_KEY_FILE: FILE,
      CLIENT_CA_FILE: FILE,
      CLIENT_ALLOWED_NAMES: 'front-proxy-client,other',
      NAMESPACE: 'hpc',
      MINICLUSTER: 'lammps',
      SERVICE_NAME: 'metrics',
      METRICS_FILE: '/etc/metrics.yaml',
      MAX_AGE_SECONDS: '60',
      IDLE_GRACE_SECONDS: '90',
      DRAIN: 'true',
      EXTERNAL_METRICS: 'true',
      EXIT_WITH_BROKER: 'true',
      LOG_LEVEL: 'debug',
    }),
    {
      socketPath: '/run/flux/local',
      listen: { address: '127.0.0.1', port: 9443 },
      tls: { cert: FILE, key: FILE },
      clientCaFile: FILE,
      clientAllowedNames: ['front-proxy-client', 'other'],
      authority: undefined,
      names: { namespace: 'hpc', minicluster: 'lammps', serviceName: 'metrics' },
      metricsFile: '/etc/metrics.yaml',
      maxAgeMs: 60_000,
      idleGraceMs: 90_000,
      drain: true,
      externalMetrics: true,
      exitWithBroker: true,
      logLevel: 'debug',
    },
  )
})

test('readConfig is frozen', () => {
  assert.ok(Object.isFrozen(config({})))
})

test('readConfig reports all problems together', () => {
  assert.deepEqual(
    problems({
      FLUX_URI: 'ssh://host/run/flux/local',
      LISTEN_PORT: '84430',
      NAMESPACE: 'HPC',
      MAX_AGE_SECONDS: '1',
    }),
    [
      'FLUX_URI: expected "local://" and an absolute path of at most 107 bytes, got "ssh://host/run/flux/local"',
      'LISTEN_PORT: expected an integer from 0 to 65535, got "84430"',
      'NAMESPACE: expected a name of at most 63 lower-case letters, digits and "-", got "HPC"',
      'MAX_AGE_SECONDS: expected an integer from 15 to 3600, got "1"',
    ],
  )
})

test('readConfig expects certificate and key together', () => {
  assert.deepEqual(problems({ TLS_CERT_FILE: FILE }), [
    'TLS_KEY_FILE: expected the key that belongs to TLS_CERT_FILE, it is not set',
  ])
  assert.deepEqual(problems({ TLS_KEY_FILE: FILE }), [
    'TLS_CERT_FILE: expected the certificate that belongs to TLS_KEY_FILE, it is not set',
  ])
})

test('readConfig expects a CA file beside allowed names, which have no effect without it', () => {
  assert.deepEqual(problems({ CLIENT_ALLOWED_NAMES: 'front-proxy-client' }), [
    'CLIENT_CA_FILE: expected the CA file of the clients in CLIENT_ALLOWED_NAMES, it is not set',
  ])
})

const IDENTITY = {
  IDENTITY_URL: 'https://flux-metrics-webhook.flux-metrics.svc',
  IDENTITY_TOKEN_FILE: FILE,
  IDENTITY_CA: (await createAuthority('flux-metrics CA')).cert,
}

test('readConfig reads how to reach the authority', () => {
  assert.deepEqual(config(IDENTITY).authority, {
    url: IDENTITY.IDENTITY_URL,
    tokenFile: FILE,
    ca: IDENTITY.IDENTITY_CA,
  })
})

for (const url of ['https://hook.svc:8443', 'https://10.0.0.1', 'https://hook.svc/']) {
  test(`readConfig accepts a host as authority, with or without port: ${url}`, () => {
    assert.equal(config({ ...IDENTITY, IDENTITY_URL: url }).authority?.url, url)
  })
}

for (const url of [
  'hook.svc',
  'http://hook.svc',
  'https://hook.svc/certificates',
  'https://hook.svc/?a=b',
  'https://name:word@hook.svc',
  'https://',
]) {
  test(`readConfig refuses any other URL of an authority: ${url}`, () => {
    assert.deepEqual(problems({ ...IDENTITY, IDENTITY_URL: url }), [
      `IDENTITY_URL: expected "https://" and a host, with or without port, got "${url}"`,
    ])
  })
}

test('readConfig expects token and CA beside the URL of an authority', () => {
  const { IDENTITY_URL } = IDENTITY
  assert.deepEqual(problems({ IDENTITY_URL }), [
    'IDENTITY_TOKEN_FILE: expected the file of the token for IDENTITY_URL, it is not set',
    'IDENTITY_CA: expected a CA certificate in PEM, it is not set',
  ])
})

test('readConfig expects the URL of the authority that token and CA are for', () => {
  const { IDENTITY_TOKEN_FILE, IDENTITY_CA } = IDENTITY
  assert.deepEqual(problems({ IDENTITY_TOKEN_FILE }), [
    'IDENTITY_URL: expected the webhook that IDENTITY_TOKEN_FILE is for, it is not set',
  ])
  assert.deepEqual(problems({ IDENTITY_CA }), [
    'IDENTITY_URL: expected the webhook that IDENTITY_CA is for, it is not set',
  ])
})

test('readConfig expects a token file that can be read', () => {
  assert.deepEqual(problems({ ...IDENTITY, IDENTITY_TOKEN_FILE: '/nowhere/token' }), [
    'IDENTITY_TOKEN_FILE: expected a file that can be read, got "/nowhere/token"',
  ])
})

test('readConfig expects the certificate of a CA, not its path and not a leaf', async () => {
  const leaf = await (await createAuthority('CA')).issue({ commonName: 'leaf' })
  const shown = [
    [FILE, FILE],
    [leaf.cert, '-----BEGIN CERTIFICATE-----…'],
  ] as const
  for (const [value, got] of shown) {
    assert.deepEqual(problems({ ...IDENTITY, IDENTITY_CA: value }), [
      `IDENTITY_CA: expected a CA certificate in PEM, got "${got}"`,
    ])
  }
})

test('readConfig refuses files beside an authority, because they could contradict it', () => {
  const files = { TLS_CERT_FILE: FILE, TLS_KEY_FILE: FILE, CLIENT_CA_FILE: FILE }
  assert.deepEqual(
    problems({ ...IDENTITY, ...files, CLIENT_ALLOWED_NAMES: 'front-proxy-client' }),
    [
      `TLS_CERT_FILE: expected no value because IDENTITY_URL is set, got "${FILE}"`,
      `TLS_KEY_FILE: expected no value because IDENTITY_URL is set, got "${FILE}"`,
      `CLIENT_CA_FILE: expected no value because IDENTITY_URL is set, got "${FILE}"`,
      'CLIENT_ALLOWED_NAMES: expected no value because IDENTITY_URL is set, got "front-proxy-client"',
    ],
  )
})

test('VARIABLES names each variable once', () => {
  const names = VARIABLES.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
})
