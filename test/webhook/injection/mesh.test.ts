import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meshAnnotations, meshWarnings } from '../../../webhook/injection/mesh.ts'
import type { Pod } from '../../../webhook/objects/pod.ts'
import { BROKER, leadPod } from '../support-objects.ts'

const ISTIO = 'traffic.sidecar.istio.io/excludeInboundPorts'
const LINKERD = 'config.linkerd.io/skip-inbound-ports'

type Strings = Readonly<Record<string, string>>

function podWith(annotations: Strings, labels: Strings = {}): Pod {
  return leadPod({ metadata: { annotations, labels } })
}

function withProxy(proxy: string, annotations: Strings = {}): Pod {
  return leadPod({ metadata: { annotations }, spec: { containers: [{ name: proxy }, BROKER] } })
}

/** Pods with their labels or annotations of a mesh, and the annotations that they get. */
const CASES: readonly (readonly [what: string, pod: Pod, expected: Strings])[] = [
  ['no sign of a mesh', podWith({ app: 'flux', 'istio.io.example/a': 'true' }), {}],
  ["Istio's label", podWith({}, { 'sidecar.istio.io/inject': 'true' }), { [ISTIO]: '8443' }],
  ["Istio's annotation", podWith({ 'sidecar.istio.io/inject': 'true' }), { [ISTIO]: '8443' }],
  ['a revision of Istio', podWith({}, { 'istio.io/rev': 'canary' }), { [ISTIO]: '8443' }],
  ['another annotation of Istio', podWith({ 'proxy.istio.io/config': '{}' }), { [ISTIO]: '8443' }],
  [
    'no injection by label',
    podWith({ 'proxy.istio.io/config': '' }, { 'sidecar.istio.io/inject': 'false' }),
    {},
  ],
  [
    'no injection, in a revision',
    podWith({ 'sidecar.istio.io/inject': 'false' }, { 'istio.io/rev': 'canary' }),
    {},
  ],
  ["a port of the user's", podWith({ [ISTIO]: '9000, 9001' }), { [ISTIO]: '9000, 9001,8443' }],
  ['an empty list', podWith({ [ISTIO]: ' ' }), { [ISTIO]: '8443' }],
  ['our port in the list', podWith({ [ISTIO]: '9000, 8443' }), {}],
  ['a port that begins like ours', podWith({ [ISTIO]: '84430' }), { [ISTIO]: '84430,8443' }],
  ["Istio's proxy", withProxy('istio-proxy'), { [ISTIO]: '8443' }],
  ["Linkerd's annotation", podWith({ 'linkerd.io/inject': 'enabled' }), { [LINKERD]: '8443' }],
  ["Linkerd's ingress", podWith({ 'linkerd.io/inject': 'ingress' }), { [LINKERD]: '8443' }],
  [
    'no injection by Linkerd',
    podWith({ 'linkerd.io/inject': 'disabled', 'config.linkerd.io/proxy-log-level': 'warn' }),
    {},
  ],
  ["a port of Linkerd's user", podWith({ [LINKERD]: '25' }), { [LINKERD]: '25,8443' }],
  ['a range with our port', podWith({ [LINKERD]: '25,8000-9000' }), {}],
  ['a range without it', podWith({ [LINKERD]: '1-2' }), { [LINKERD]: '1-2,8443' }],
  [
    'two meshes',
    podWith({ 'linkerd.io/inject': 'enabled' }, { 'sidecar.istio.io/inject': 'true' }),
    { [ISTIO]: '8443', [LINKERD]: '8443' },
  ],
]

for (const [what, pod, expected] of CASES) {
  test(`meshAnnotations given ${what}: ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(meshAnnotations(pod, 8443), expected)
  })
}

test('meshAnnotations excludes the port that the sidecar has', () => {
  const pod = podWith({ 'linkerd.io/inject': 'enabled' })
  assert.deepEqual(meshAnnotations(pod, 10_250), { [LINKERD]: '10250' })
})

test('meshWarnings warns where the proxy came before the sidecar, and the port is not excluded', () => {
  assert.deepEqual(meshWarnings(withProxy('istio-proxy'), 8443), [
    `Set ${ISTIO}: "8443" in spec.pod.annotations: Istio's proxy was added before the sidecar, ` +
      'and under strict mTLS it refuses the API server',
  ])
  assert.equal(meshWarnings(withProxy('linkerd-proxy'), 8443).length, 1)
  assert.deepEqual(meshWarnings(withProxy('istio-proxy', { [ISTIO]: '8443' }), 8443), [])
  assert.deepEqual(meshWarnings(podWith({ 'linkerd.io/inject': 'enabled' }), 8443), [])
})

test('meshWarnings keeps warnings under 200 characters', () => {
  for (const proxy of ['istio-proxy', 'linkerd-proxy']) {
    const [warning = ''] = meshWarnings(withProxy(proxy), 65_535)
    assert.ok(warning.length > 0 && warning.length <= 200, `${warning.length}`)
  }
})
