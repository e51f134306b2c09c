import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide, type LookedUp, preselect } from '../../../webhook/admission/decision.ts'
import { SKIP_REASONS, skip } from '../../../webhook/admission/skip.ts'
import { COMPLETION_INDEX, type Pod } from '../../../webhook/objects/pod.ts'
import {
  annotated,
  BROKER,
  ENABLED,
  JOB_OWNER,
  leadPod,
  MINICLUSTER_OWNER,
  miniCluster,
} from '../support-objects.ts'

const PREREQUISITES = { hasAuthority: true, knowsFrontProxy: true }
const NO_POLICIES = { limitRanges: [], quotas: [] }
const LOOKED_UP: LookedUp = {
  minicluster: miniCluster(),
  nativeSidecars: true,
  policies: NO_POLICIES,
}

const SHARED = {
  kind: 'shared',
  path: '/mnt/flux/config/run/flux/local',
  mount: { name: 'flux-view', mountPath: '/mnt/flux' },
}

const PLAN = {
  kind: 'inject',
  minicluster: { namespace: 'default', name: 'flux-sample' },
  socket: SHARED,
  native: true,
  settings: { enabled: true },
  resources: { requests: { cpu: '25m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
}

function indexed(labels: Pod['metadata']['labels'], annotations: Pod['metadata']['annotations']) {
  return leadPod({ metadata: { labels, annotations } })
}

const ZERO = { [COMPLETION_INDEX]: '0' }
const ONE = { [COMPLETION_INDEX]: '1' }
const CANDIDATE = { kind: 'candidate', job: JOB_OWNER }

test('preselect takes a pod of index 0 that a Job controls', () => {
  assert.deepEqual(preselect(leadPod()), CANDIDATE)
})

for (const enabled of [true, false]) {
  test(`preselect knows that the pod itself says ${enabled}`, () => {
    const pod = annotated({ 'flux-metrics/enabled': String(enabled) })
    assert.deepEqual(preselect(pod), { ...CANDIDATE, enabled })
  })
}

test('preselect takes the index from the annotation or from the label', () => {
  assert.deepEqual([indexed(ZERO, null), indexed(null, ZERO)].map(preselect), [
    CANDIDATE,
    CANDIDATE,
  ])
})

test('preselect prefers the annotation where the two differ', () => {
  const message = 'The pod has index 1: only index 0 runs the lead broker'
  assert.deepEqual(preselect(indexed(ZERO, ONE)), skip('NotIndexZero', message))
})

test('preselect ignores the label that the operator writes', () => {
  const message = 'The pod has no completion index: only index 0 runs the lead broker'
  const pod = indexed({ 'job-index': '0' }, null)
  assert.deepEqual(preselect(pod), skip('NotIndexZero', message))
})

for (const ownerReferences of [null, [MINICLUSTER_OWNER], [{ ...JOB_OWNER, controller: false }]]) {
  test(`preselect skips a pod with owners ${JSON.stringify(ownerReferences)}`, () => {
    assert.deepEqual(
      preselect(leadPod({ metadata: { ownerReferences } })),
      skip('NotAMiniCluster', 'The pod is not controlled by a Job'),
    )
  })
}

test('decide plans a native sidecar on the shared volume', () => {
  assert.deepEqual(decide(leadPod(), LOOKED_UP, PREREQUISITES), { decision: PLAN, warnings: [] })
})

test('decide plans an ordinary container where the API server supports no native sidecars', () => {
  const { decision } = decide(leadPod(), { ...LOOKED_UP, nativeSidecars: false }, PREREQUISITES)
  assert.deepEqual(decision, { ...PLAN, native: false })
})

test('decide plans no native sidecar for an old API server, whatever the annotation says', () => {
  const pod = annotated({ 'flux-metrics/native-sidecar': 'true' })
  assert.deepEqual(decide(pod, { ...LOOKED_UP, nativeSidecars: false }, PREREQUISITES), {
    decision: { ...PLAN, native: false, settings: { enabled: true, nativeSidecar: 'true' } },
    warnings: [
      'flux-metrics/native-sidecar: ignored because the API server is older than Kubernetes 1.29: the sidecar is an ordinary container',
    ],
  })
})

test('decide plans with the socket of the annotation', () => {
  const pod = annotated({ 'flux-metrics/socket': '/run/flux/local' })
  const { decision } = decide(pod, LOOKED_UP, PREREQUISITES)
  assert.deepEqual(decision, {
    ...PLAN,
    socket: { kind: 'new', path: '/run/flux/local', folder: '/run/flux' },
    settings: { enabled: true, socket: '/run/flux/local' },
  })
})

test('decide allows a drain with the UID of the broker, or where the pod does not name that UID', () => {
  const pod = annotated({ 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': '1000' })
  const settings = { enabled: true, drain: true, runAsUser: 1000 }
  const ours = { ...pod, spec: { ...pod.spec, securityContext: { runAsUser: 1000 } } }
  for (const candidate of [pod, ours]) {
    const { decision, warnings } = decide(candidate, LOOKED_UP, PREREQUISITES)
    assert.deepEqual([decision, warnings], [{ ...PLAN, settings }, []])
  }
})

test('decide allows no drain with another UID than that of the broker', () => {
  const pod = annotated({ 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': '1000' })
  const containers = [{ ...BROKER, securityContext: { runAsUser: 0 } }]
  const spec = { ...pod.spec, containers, securityContext: { runAsUser: 1000 } }
  const { decision, warnings } = decide({ ...pod, spec }, LOOKED_UP, PREREQUISITES)
  const settings = { enabled: true, drain: false, runAsUser: 1000 }
  assert.deepEqual(decision, { ...PLAN, settings })
  assert.deepEqual(warnings, [
    'flux-metrics/drain: ignored because only the owner of the Flux instance can drain ranks: ' +
      'set flux-metrics/run-as-user to 0, the UID of the broker in this pod, not 1000',
  ])
})

test('decide keeps warnings beside that of a drain by a guest', () => {
  const pod = annotated({ 'flux-metrics/drain': 'true', 'flux-metrics/log-level': 'loud' })
  const containers = [{ ...BROKER, securityContext: { runAsUser: 0 } }]
  const { warnings } = decide(
    { ...pod, spec: { ...pod.spec, containers } },
    LOOKED_UP,
    PREREQUISITES,
  )
  assert.deepEqual(
    warnings.map((text) => text.split(':')[0]),
    ['flux-metrics/log-level', 'flux-metrics/drain'],
  )
})

test('decide ignores a UID that the pod may not have, and then drains nothing', () => {
  const { metadata } = annotated({
    'flux-metrics/drain': 'true',
    'flux-metrics/log-level': 'loud',
    'flux-metrics/run-as-user': '0',
  })
  const pod = leadPod({ metadata, spec: { securityContext: { runAsNonRoot: true } } })
  const { decision, warnings } = decide(pod, LOOKED_UP, PREREQUISITES)
  assert.deepEqual(decision, { ...PLAN, settings: { enabled: true, drain: false } })
  assert.deepEqual(
    warnings.map((text) => text.split(':')[0]),
    ['flux-metrics/log-level', 'flux-metrics/run-as-user'],
  )
})

test('decide ignores a UID that the pod may not have, and leaves the other settings', () => {
  const { metadata } = annotated({ 'flux-metrics/run-as-user': '0' })
  const pod = leadPod({ metadata, spec: { securityContext: { runAsNonRoot: true } } })
  assert.deepEqual(decide(pod, LOOKED_UP, PREREQUISITES).decision, PLAN)
})

test('decide warns of a proxy that takes over the port, with the port of the annotation', () => {
  const pod = withPort(9_000, { containers: [BROKER, { name: 'istio-proxy' }] })
  const { warnings } = decide(pod, LOOKED_UP, PREREQUISITES)
  assert.match(warnings.join(), /^Set traffic\.sidecar\.istio\.io\/excludeInboundPorts: "9000" /)
})

test('decide keeps warnings beside a plan', () => {
  const { decision, warnings } = decide(
    annotated({ 'flux-metrics/drain': 'yes' }),
    LOOKED_UP,
    PREREQUISITES,
  )
  assert.deepEqual(
    [decision, warnings],
    [PLAN, ['flux-metrics/drain: expected "true" or "false", got "yes"']],
  )
})

/** Reasons that are not reported: nobody asked for metrics of this pod, or it has them. */
const UNREPORTED = [
  'NotCreated',
  'NotAPod',
  'NotIndexZero',
  'NotAMiniCluster',
  'NotEnabled',
  'AlreadyInjected',
]

test('skip reports a reason to the user who asked for metrics and gets none', () => {
  const unreported = SKIP_REASONS.filter((reason) => !skip(reason, '').isReported)
  assert.deepEqual(unreported, UNREPORTED)
})

const SIDECAR = { name: 'flux-metrics' }

test('decide repairs a native sidecar that lost its restartPolicy', () => {
  const pod = {
    ...annotated({ 'flux-metrics/injected': '1' }),
    spec: { containers: [BROKER], initContainers: [SIDECAR] },
  }
  const { decision } = decide(pod, LOOKED_UP, PREREQUISITES)
  assert.equal(decision.kind === 'repair' && decision.patch.length, 2)
})

const PORT = { name: 'web', ports: [{ containerPort: 8443 }] }
const VOLUMES = leadPod().spec.volumes ?? []

/** A lead broker's pod whose sidecar shall listen on this port. */
function withPort(port: number, spec: Partial<Pod['spec']>): Pod {
  return { ...annotated({ 'flux-metrics/port': String(port) }), spec: leadPod({ spec }).spec }
}

interface Refusal {
  readonly reason: string
  readonly message: string
  readonly warnings?: readonly string[]
  readonly pod?: Pod
  readonly lookedUp?: Partial<LookedUp>
  readonly prerequisites?: Partial<typeof PREREQUISITES>
}

const REFUSALS: readonly Refusal[] = [
  {
    reason: 'NotAMiniCluster',
    message: "The pod's Job is not controlled by a MiniCluster",
    lookedUp: { minicluster: undefined },
  },
  {
    reason: 'NotEnabled',
    message: 'Annotation flux-metrics/enabled is not set on the pod or the MiniCluster',
    lookedUp: { minicluster: miniCluster({ annotations: {} }) },
  },
  {
    reason: 'NotEnabled',
    message:
      'Annotation flux-metrics/enabled is neither "true" nor "false" on the pod or the MiniCluster',
    warnings: ['flux-metrics/enabled: expected "true" or "false", got "yes"'],
    pod: annotated({ 'flux-metrics/enabled': 'yes' }),
    lookedUp: { minicluster: miniCluster({ annotations: {} }) },
  },
  {
    reason: 'NotEnabled',
    message: 'Annotation flux-metrics/enabled is "false" on the pod or the MiniCluster',
    pod: annotated({ 'flux-metrics/enabled': 'false' }),
  },
  {
    reason: 'AlreadyInjected',
    message: 'The pod already has the sidecar',
    pod: {
      ...annotated({ 'flux-metrics/injected': '1' }),
      spec: { containers: [BROKER, SIDECAR] },
    },
  },
  {
    reason: 'NameTaken',
    message: 'The pod already has a container "flux-metrics", the name of the sidecar: rename it',
    pod: leadPod({ spec: { initContainers: [SIDECAR] } }),
  },
  {
    reason: 'SocketDisabled',
    message: 'The broker has no socket: set spec.flux.disableSocket of the MiniCluster to false',
    lookedUp: { minicluster: miniCluster({ spec: { flux: { disableSocket: true } } }) },
  },
  ...['socket', 'identity', 'tls', 'config', 'no-token'].map((name) => ({
    reason: 'NameTaken',
    message: `The pod already has a volume "flux-metrics-${name}", a name that the sidecar needs: rename it`,
    pod: leadPod({ spec: { volumes: [...VOLUMES, { name: `flux-metrics-${name}` }] } }),
  })),
  {
    reason: 'NameTaken',
    message:
      'The pod has the label api-server=mine, and the sidecar needs api-server=custom-metrics: remove it',
    pod: leadPod({ metadata: { labels: { ...ZERO, 'api-server': 'mine' } } }),
  },
  {
    reason: 'PortTaken',
    message:
      'Container "web" of the pod uses port 8443, which the sidecar needs: set flux-metrics/port to a free port',
    pod: leadPod({ spec: { containers: [BROKER, PORT] } }),
  },
  {
    reason: 'HostNetworkPortTaken',
    message:
      'Container "web" of the pod uses port 8443 on the network of its node, which the sidecar needs: set flux-metrics/port to a free port',
    pod: leadPod({ spec: { containers: [BROKER, PORT], hostNetwork: true } }),
  },
  {
    reason: 'PortTaken',
    message:
      'Container "web" of the pod uses port 9000, which the sidecar needs: set flux-metrics/port to a free port',
    pod: withPort(9000, { containers: [BROKER, { ...PORT, ports: [{ containerPort: 9000 }] }] }),
  },
  {
    reason: 'HostNetworkPortTaken',
    message:
      'The kubelet uses port 10250 on the network of its node, which the sidecar needs: set flux-metrics/port to a free port',
    pod: withPort(10_250, { hostNetwork: true }),
  },
  {
    reason: 'NoAuthority',
    message:
      'The webhook has no CA to issue certificates (CERTIFICATES=files, or its CA has expired): ' +
      'name a Secret with a certificate in flux-metrics/tls-secret',
    prerequisites: { hasAuthority: false },
  },
  {
    reason: 'NoAuthority',
    message:
      'The CA of the front proxy is not known: check that ConfigMap ' +
      'kube-system/extension-apiserver-authentication has it, and see the log of the webhook',
    prerequisites: { knowsFrontProxy: false },
    pod: annotated({ ...ENABLED, 'flux-metrics/tls-secret': 'serving' }),
  },
  {
    reason: 'SocketNotShared',
    message:
      'Mount a writable volume at the socket\'s folder /mnt/flux/config/run/flux: the sidecar cannot share volume "flux-view"',
    pod: leadPod({ spec: { volumes: [{ name: 'flux-view', configMap: { name: 'view' } }] } }),
  },
]

for (const refusal of REFUSALS) {
  const { reason, message, warnings = [], pod = leadPod(), lookedUp, prerequisites } = refusal
  test(`decide skips with ${reason}: ${message}`, () => {
    assert.deepEqual(
      decide(pod, { ...LOOKED_UP, ...lookedUp }, { ...PREREQUISITES, ...prerequisites }),
      {
        decision: { kind: 'skip', reason, message, isReported: !UNREPORTED.includes(reason) },
        warnings,
      },
    )
  })
}

test('decide keeps every message within the length of a warning', () => {
  const tooLong = REFUSALS.filter(({ message }) => message.length > 200)
  assert.deepEqual(tooLong, [])
})

test('decide needs no authority where the annotation names a Secret', () => {
  const pod = annotated({ ...ENABLED, 'flux-metrics/tls-secret': 'serving' })
  const { decision } = decide(pod, LOOKED_UP, { ...PREREQUISITES, hasAuthority: false })
  assert.deepEqual(decision, { ...PLAN, settings: { enabled: true, tlsSecret: 'serving' } })
})

test('decide does not need the front proxy where the authority sends its CA later', () => {
  const { decision } = decide(leadPod(), LOOKED_UP, { ...PREREQUISITES, knowsFrontProxy: false })
  assert.deepEqual(decision, PLAN)
})

test('decide keeps warnings beside a skip', () => {
  const minicluster = miniCluster({ annotations: { 'flux-metrics/enabled': 'on' } })
  const { decision, warnings } = decide(leadPod(), { ...LOOKED_UP, minicluster }, PREREQUISITES)
  assert.equal(decision.kind, 'skip')
  assert.deepEqual(warnings, ['flux-metrics/enabled: expected "true" or "false", got "on"'])
})
