import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT_CA_ANNOTATION, INJECTED_ANNOTATION } from '../../../webhook/contract.ts'
import type { Settings } from '../../../webhook/objects/annotation-rules.ts'
import { readAnnotations, readEnabled } from '../../../webhook/objects/annotations.ts'

const SEE_PAGE = 'see docs/reference/ANNOTATIONS.md for those that there are'

/** Keys (after the prefix) with valid values, and the settings that they mean. */
const VALID: readonly (readonly [key: string, value: string, settings: Settings])[] = [
  ['enabled', 'true', { enabled: true }],
  ['enabled', 'false', { enabled: false }],
  ['socket', '/run/flux/local', { socket: '/run/flux/local' }],
  ['socket', `/run/${'s'.repeat(102)}`, { socket: `/run/${'s'.repeat(102)}` }],
  ['socket', '/a/B_c-d.e+f@g,h=i', { socket: '/a/B_c-d.e+f@g,h=i' }],
  ['run-as-user', '0', { runAsUser: 0 }],
  ['run-as-user', '2147483647', { runAsUser: 2_147_483_647 }],
  ['tls-secret', 'serving.example', { tlsSecret: 'serving.example' }],
  ['tls-secret', 'a', { tlsSecret: 'a' }],
  ['metrics-config', 'queue-metrics', { metricsConfig: 'queue-metrics' }],
  ['native-sidecar', 'auto', { nativeSidecar: 'auto' }],
  ['native-sidecar', 'true', { nativeSidecar: 'true' }],
  ['native-sidecar', 'false', { nativeSidecar: 'false' }],
  ['port', '1024', { port: 1024 }],
  ['port', '10250', { port: 10_250 }],
  ['port', '65535', { port: 65_535 }],
  ['external-metrics', 'true', { externalMetrics: true }],
  ['external-metrics', 'false', { externalMetrics: false }],
  ['drain', 'false', { drain: false }],
  ['idle-grace-seconds', '0', { idleGraceSeconds: 0 }],
  ['idle-grace-seconds', '3600', { idleGraceSeconds: 3600 }],
  ['log-level', 'trace', { logLevel: 'trace' }],
  ['cpu-request', '1m', { cpuRequest: '1m' }],
  ['cpu-request', '4', { cpuRequest: '4' }],
  ['cpu-request', '0.5', { cpuRequest: '0.5' }],
  ['memory-limit', '96Mi', { memoryLimit: '96Mi' }],
  ['memory-limit', '101M', { memoryLimit: '101M' }],
  ['cpu-limit', '50m', { cpuLimit: '50m' }],
  ['cpu-limit', '2', { cpuLimit: '2' }],
  ['memory-request', '32Mi', { memoryRequest: '32Mi' }],
  ['memory-request', '1Gi', { memoryRequest: '1Gi' }],
]

for (const [key, value, settings] of VALID) {
  test(`readAnnotations takes ${key} "${value}"`, () => {
    assert.deepEqual(readAnnotations({ [`flux-metrics/${key}`]: value }, null), {
      settings,
      warnings: [],
    })
  })
}

const TRUE_OR_FALSE = '"true" or "false"'
const SOCKET = 'an absolute path of at most 107 bytes'
const UID = 'a UID from 0 to 2147483647'
const SECRET = "a Secret's name"
const CONFIG_MAP = "a ConfigMap's name"
const NATIVE = '"auto", "true" or "false"'
const PORT = "a port from 1024 to 65535, but not Flux's own 8050"
const GRACE = 'whole seconds from 0 to 3600'
const LEVEL = 'one of fatal, error, warn, info, debug, trace, silent'
const CPU = 'a quantity from 1m to 4, such as 50m'
const CPU_LIMIT = 'a quantity from 50m to 64, such as 500m'
const REQUEST = 'a quantity from 32Mi to 64Gi, such as 96Mi'
const MEMORY = 'a quantity from 96Mi to 64Gi, such as 128Mi'

/** Keys with invalid values, and the values that are expected. */
const INVALID: readonly (readonly [key: string, value: string, expected: string])[] = [
  ['enabled', 'True', TRUE_OR_FALSE],
  ['enabled', '', TRUE_OR_FALSE],
  ['enabled', 'constructor', TRUE_OR_FALSE],
  ['external-metrics', 'toString', TRUE_OR_FALSE],
  ['socket', 'local:///run/flux/local', SOCKET],
  ['socket', 'run/flux/local', SOCKET],
  ['socket', '/local', SOCKET],
  ['socket', '/run//local', SOCKET],
  ['socket', '/run/../local', SOCKET],
  ['socket', '/run/./local', SOCKET],
  ['socket', '/run/flux/', SOCKET],
  ['socket', '/run/$(HOME)', SOCKET],
  ['socket', '/run/a b', SOCKET],
  ['run-as-user', '-1', UID],
  ['run-as-user', '1e3', UID],
  ['run-as-user', '2147483648', UID],
  ['run-as-user', 'root', UID],
  ['port', '443', PORT],
  ['port', '1023', PORT],
  ['port', '8050', PORT],
  ['port', '65536', PORT],
  ['port', '08443', PORT],
  ['port', '1e4', PORT],
  ['port', 'https', PORT],
  ['port', '', PORT],
  ['tls-secret', 'Serving', SECRET],
  ['tls-secret', 'a/b', SECRET],
  ['tls-secret', '-a', SECRET],
  ['metrics-config', 'metrics.yaml/queues', CONFIG_MAP],
  ['metrics-config', '', CONFIG_MAP],
  ['native-sidecar', 'yes', NATIVE],
  ['drain', 'yes', TRUE_OR_FALSE],
  ['idle-grace-seconds', '3601', GRACE],
  ['idle-grace-seconds', '-1', GRACE],
  ['idle-grace-seconds', '1.5', GRACE],
  ['idle-grace-seconds', '60s', GRACE],
  ['idle-grace-seconds', '', GRACE],
  ['log-level', 'verbose', LEVEL],
  ['cpu-request', '0', CPU],
  ['cpu-request', '4001m', CPU],
  ['cpu-request', '-1', CPU],
  ['memory-limit', '95Mi', MEMORY],
  ['memory-limit', '128', MEMORY],
  ['memory-limit', '128MiB', MEMORY],
  ['memory-limit', '65Gi', MEMORY],
  ['cpu-limit', '49m', CPU_LIMIT],
  ['cpu-limit', '65', CPU_LIMIT],
  ['memory-request', '31Mi', REQUEST],
  ['memory-request', 'much', REQUEST],
]

for (const [key, value, expected] of INVALID) {
  test(`readAnnotations warns of ${key} "${value}"`, () => {
    assert.deepEqual(readAnnotations({ [`flux-metrics/${key}`]: value }, null), {
      settings: {},
      warnings: [`flux-metrics/${key}: expected ${expected}, got "${value}"`],
    })
  })
}

test('readAnnotations warns of a socket path of 108 bytes', () => {
  const socket = `/run/${'s'.repeat(103)}`
  const { settings, warnings } = readAnnotations({ 'flux-metrics/socket': socket }, null)
  assert.deepEqual(settings, {})
  assert.deepEqual(warnings, [
    `flux-metrics/socket: expected ${SOCKET}, got "${socket.slice(0, 32)}…"`,
  ])
})

/** Keys that are unknown, and the hint in the warning. */
const UNKNOWN: readonly (readonly [key: string, hint: string])[] = [
  ['sokcet', 'did you mean flux-metrics/socket?'],
  ['loglevel', 'did you mean flux-metrics/log-level?'],
  ['Enabled', 'did you mean flux-metrics/enabled?'],
  ['enabled/', 'did you mean flux-metrics/enabled?'],
  ['colour', SEE_PAGE],
  ['', SEE_PAGE],
]

for (const [key, hint] of UNKNOWN) {
  test(`readAnnotations warns of the unknown key "${key}"`, () => {
    assert.deepEqual(readAnnotations(null, { [`flux-metrics/${key}`]: 'true' }), {
      settings: {},
      warnings: [`flux-metrics/${key}: unknown, ${hint}`],
    })
  })
}

test('readAnnotations cuts a long unknown key, so that the hint fits into the warning', () => {
  const key = `flux-metrics/${'x'.repeat(300)}`
  const { warnings } = readAnnotations({ [key]: 'true' }, null)
  assert.deepEqual(warnings, [`${key.slice(0, 32)}…: unknown, ${SEE_PAGE}`])
  // The answer would cut a longer warning.
  assert.ok(warnings.every(({ length }) => length <= 200))
})

test('readAnnotations allows a drain by a sidecar that has a UID', () => {
  const pod = { 'flux-metrics/drain': 'true' }
  assert.deepEqual(readAnnotations(pod, { 'flux-metrics/run-as-user': '0' }), {
    settings: { drain: true, runAsUser: 0 },
    warnings: [],
  })
})

test('readAnnotations warns of a drain without a UID, and does not allow it', () => {
  const minicluster = { 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': 'root' }
  assert.deepEqual(readAnnotations(null, minicluster), {
    settings: { drain: false },
    warnings: [
      `flux-metrics/run-as-user: expected ${UID}, got "root"`,
      'flux-metrics/drain: ignored because only the owner of the Flux instance can drain ranks: ' +
        'set flux-metrics/run-as-user to the UID of the broker',
    ],
  })
})

test('readAnnotations replaces unprintable characters of a value, and cuts it', () => {
  const value = `\u001b[31m\n${'é'.repeat(100)}`
  const { warnings } = readAnnotations({ 'flux-metrics/enabled': value }, null)
  const shown = `?[31m?${'?'.repeat(26)}…`
  assert.deepEqual(warnings, [`flux-metrics/enabled: expected ${TRUE_OR_FALSE}, got "${shown}"`])
})

test('readAnnotations ignores the annotations of others and of the webhook itself', () => {
  const pod = {
    [INJECTED_ANNOTATION]: '1.2.3',
    [CLIENT_CA_ANNOTATION]: 'PEM',
    'example.com/enabled': 'x',
    enabled: 'x',
  }
  assert.deepEqual(readAnnotations(pod, undefined), { settings: {}, warnings: [] })
})

test('readAnnotations prefers the pod, key by key', () => {
  const pod = { 'flux-metrics/enabled': 'false', 'flux-metrics/log-level': 'debug' }
  const minicluster = { 'flux-metrics/enabled': 'true', 'flux-metrics/run-as-user': '0' }
  assert.deepEqual(readAnnotations(pod, minicluster), {
    settings: { enabled: false, logLevel: 'debug', runAsUser: 0 },
    warnings: [],
  })
})

test('readAnnotations takes the value of the MiniCluster where that of the pod is invalid', () => {
  const pod = { 'flux-metrics/enabled': 'valueOf' }
  assert.deepEqual(readAnnotations(pod, { 'flux-metrics/enabled': 'true' }), {
    settings: { enabled: true },
    warnings: [`flux-metrics/enabled: expected ${TRUE_OR_FALSE}, got "valueOf"`],
  })
})

test('readAnnotations gives one warning where both have the same invalid value', () => {
  const both = { 'flux-metrics/drain': 'yes' }
  assert.deepEqual(readAnnotations(both, both).warnings, [
    `flux-metrics/drain: expected ${TRUE_OR_FALSE}, got "yes"`,
  ])
})

test('readAnnotations lowers requests to their limits, with a warning for each', () => {
  const { settings, warnings } = readAnnotations(
    { 'flux-metrics/cpu-request': '500m', 'flux-metrics/memory-request': '1Gi' },
    { 'flux-metrics/cpu-limit': '0.1', 'flux-metrics/memory-limit': '256Mi' },
  )
  assert.deepEqual(settings, {
    cpuRequest: '0.1',
    cpuLimit: '0.1',
    memoryRequest: '256Mi',
    memoryLimit: '256Mi',
  })
  assert.deepEqual(warnings, [
    'flux-metrics/cpu-request: 500m is above flux-metrics/cpu-limit: using 0.1',
    'flux-metrics/memory-request: 1Gi is above flux-metrics/memory-limit: using 256Mi',
  ])
})

test('readEnabled reads true and false, and nothing else', () => {
  const read = (value: string) => readEnabled({ 'flux-metrics/enabled': value })
  assert.deepEqual(
    [read('true'), read('false'), read('True'), readEnabled({}), readEnabled(null)],
    [true, false, undefined, undefined, undefined],
  )
})
