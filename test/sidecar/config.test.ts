import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, readConfig, VARIABLES } from '../../sidecar/config.ts'

/** Files that surely exist, whatever is in them: only their presence is checked here. */
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
    identity: {
      namespace: 'default',
      minicluster: 'flux-sample',
      serviceName: 'custom-metrics-apiserver',
    },
    maxAgeMs: 30_000,
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
      MAX_AGE_SECONDS: '60',
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
      identity: { namespace: 'hpc', minicluster: 'lammps', serviceName: 'metrics' },
      maxAgeMs: 60_000,
      externalMetrics: true,
      exitWithBroker: true,
      logLevel: 'debug',
    },
  )
})

test('readConfig is frozen', () => {
  assert.ok(Object.isFrozen(config({})))
})

test('readConfig tells all problems together', () => {
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

test('readConfig wants certificate and key together', () => {
  assert.deepEqual(problems({ TLS_CERT_FILE: FILE }), [
    'TLS_KEY_FILE: expected the key that belongs to TLS_CERT_FILE, it is not set',
  ])
  assert.deepEqual(problems({ TLS_KEY_FILE: FILE }), [
    'TLS_CERT_FILE: expected the certificate that belongs to TLS_KEY_FILE, it is not set',
  ])
})

test('readConfig wants an authority for allowed names, which mean nothing without', () => {
  assert.deepEqual(problems({ CLIENT_ALLOWED_NAMES: 'front-proxy-client' }), [
    'CLIENT_CA_FILE: expected the authority of the clients that CLIENT_ALLOWED_NAMES names, it is not set',
  ])
})

test('VARIABLES names each variable once', () => {
  const names = VARIABLES.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
})
