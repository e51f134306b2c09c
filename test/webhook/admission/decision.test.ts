import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decide,
  type Facts,
  preselect,
  SKIP_REASONS,
  skip,
} from '../../../webhook/admission/decision.ts'
import { COMPLETION_INDEX, type Pod } from '../../../webhook/injection/pod.ts'
import {
  annotated,
  BROKER,
  ENABLED,
  JOB_OWNER,
  leadPod,
  MINICLUSTER_OWNER,
  miniCluster,
} from '../support-objects.ts'

const MEANS = { hasAuthority: true, knowsFrontProxy: true }
const FACTS: Facts = { minicluster: miniCluster(), nativeSidecars: true }

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

test('preselect takes the index from the annotation or from the label', () => {
  assert.deepEqual([indexed(ZERO, null), indexed(null, ZERO)].map(preselect), [
    CANDIDATE,
    CANDIDATE,
  ])
})

test('preselect believes the annotation where the two differ', () => {
  const message = 'The pod has index 1: only index 0 holds the lead broker'
  assert.deepEqual(preselect(indexed(ZERO, ONE)), skip('NotIndexZero', message))
})

test('preselect does not believe the label that the operator writes', () => {
  const message = 'The pod is of no Indexed Job: only index 0 holds the lead broker'
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
  assert.deepEqual(decide(leadPod(), FACTS, MEANS), { decision: PLAN, warnings: [] })
})

test('decide plans an ordinary container where the API server knows no native sidecars', () => {
  const { decision } = decide(leadPod(), { ...FACTS, nativeSidecars: false }, MEANS)
  assert.deepEqual(decision, { ...PLAN, native: false })
})

test('decide does not trust the user that the API server knows native sidecars', () => {
  const pod = annotated({ 'flux-metrics/native-sidecar': 'true' })
  assert.deepEqual(decide(pod, { ...FACTS, nativeSidecars: false }, MEANS), {
    decision: { ...PLAN, native: false, settings: { enabled: true, nativeSidecar: 'true' } },
    warnings: [
      'flux-metrics/native-sidecar: the API server is older than 1.29, an ordinary container is used',
    ],
  })
})

test('decide plans with the socket of the annotation', () => {
  const pod = annotated({ 'flux-metrics/socket': '/run/flux/local' })
  const { decision } = decide(pod, FACTS, MEANS)
  assert.deepEqual(decision, {
    ...PLAN,
    socket: { kind: 'new', path: '/run/flux/local', folder: '/run/flux' },
    settings: { enabled: true, socket: '/run/flux/local' },
  })
})

test('decide lets a sidecar drain with the UID of the broker, or where the pod does not tell it', () => {
  const pod = annotated({ 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': '1000' })
  const settings = { enabled: true, drain: true, runAsUser: 1000 }
  const ours = { ...pod, spec: { ...pod.spec, securityContext: { runAsUser: 1000 } } }
  for (const candidate of [pod, ours]) {
    const { decision, warnings } = decide(candidate, FACTS, MEANS)
    assert.deepEqual([decision, warnings], [{ ...PLAN, settings }, []])
  }
})

test('decide lets no sidecar drain that has another UID than the broker', () => {
  const pod = annotated({ 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': '1000' })
  const containers = [{ ...BROKER, securityContext: { runAsUser: 0 } }]
  const spec = { ...pod.spec, containers, securityContext: { runAsUser: 1000 } }
  const { decision, warnings } = decide({ ...pod, spec }, FACTS, MEANS)
  const settings = { enabled: true, drain: false, runAsUser: 1000 }
  assert.deepEqual(decision, { ...PLAN, settings })
  assert.deepEqual(warnings, [
    'flux-metrics/drain: ignored, Flux lets its owner alone drain: that is UID 0 in this pod, ' +
      'and flux-metrics/run-as-user is 1000',
  ])
})

test('decide keeps warnings beside a plan', () => {
  const { decision, warnings } = decide(annotated({ 'flux-metrics/drain': 'yes' }), FACTS, MEANS)
  assert.deepEqual(
    [decision, warnings],
    [PLAN, ['flux-metrics/drain: expected "true" or "false", got "yes"']],
  )
})

/** Who asked for metrics hears of it if there are none; who did not, does not. */
const SILENT = [
  'NotCreated',
  'NotAPod',
  'NotIndexZero',
  'NotAMiniCluster',
  'NotEnabled',
  'AlreadyInjected',
]

test('skip tells the user of what keeps metrics away that were asked for', () => {
  const silent = SKIP_REASONS.filter((reason) => !skip(reason, '').told)
  assert.deepEqual(silent, SILENT)
})

const SIDECAR = { name: 'flux-metrics' }
const PORT = { name: 'web', ports: [{ containerPort: 8443 }] }
const VOLUMES = leadPod().spec.volumes ?? []

interface Refusal {
  readonly reason: string
  readonly message: string
  readonly pod?: Pod
  readonly facts?: Partial<Facts>
  readonly means?: Partial<typeof MEANS>
}

const REFUSALS: readonly Refusal[] = [
  {
    reason: 'NotAMiniCluster',
    message: "The pod's Job is not controlled by a MiniCluster",
    facts: { minicluster: undefined },
  },
  {
    reason: 'NotEnabled',
    message: 'Annotation flux-metrics/enabled is not set, on the pod or on the MiniCluster',
    facts: { minicluster: miniCluster({ annotations: {} }) },
  },
  {
    reason: 'NotEnabled',
    message: 'Annotation flux-metrics/enabled is "false", on the pod or on the MiniCluster',
    pod: annotated({ 'flux-metrics/enabled': 'false' }),
  },
  {
    reason: 'AlreadyInjected',
    message: 'The pod has the sidecar already',
    pod: {
      ...annotated({ 'flux-metrics/injected': '1' }),
      spec: { containers: [BROKER, SIDECAR] },
    },
  },
  {
    reason: 'NameTaken',
    message: 'The pod has a container "flux-metrics" that is not ours',
    pod: leadPod({ spec: { initContainers: [SIDECAR] } }),
  },
  {
    reason: 'SocketDisabled',
    message: 'The broker has no socket: spec.flux.disableSocket of the MiniCluster is true',
    facts: { minicluster: miniCluster({ spec: { flux: { disableSocket: true } } }) },
  },
  ...['socket', 'identity', 'tls', 'config', 'no-token'].map((name) => ({
    reason: 'NameTaken',
    message: `The pod has a volume "flux-metrics-${name}", which is our name for one`,
    pod: leadPod({ spec: { volumes: [...VOLUMES, { name: `flux-metrics-${name}` }] } }),
  })),
  {
    reason: 'NameTaken',
    message: 'The pod has the label api-server=mine, and we need api-server=custom-metrics',
    pod: leadPod({ metadata: { labels: { ...ZERO, 'api-server': 'mine' } } }),
  },
  {
    reason: 'PortTaken',
    message: 'Port 8443 of the pod is taken by its container "web"',
    pod: leadPod({ spec: { containers: [BROKER, PORT] } }),
  },
  {
    reason: 'HostNetworkPortTaken',
    message: 'Port 8443 of the pod is taken by its container "web", on the network of its node',
    pod: leadPod({ spec: { containers: [BROKER, PORT], hostNetwork: true } }),
  },
  {
    reason: 'NoAuthority',
    message:
      'The webhook issues no certificates (CERTIFICATES=files): name a Secret with one in flux-metrics/tls-secret',
    means: { hasAuthority: false },
  },
  {
    reason: 'NoAuthority',
    message:
      "The front proxy's authority (ConfigMap kube-system/extension-apiserver-authentication) is not known",
    means: { knowsFrontProxy: false },
    pod: annotated({ ...ENABLED, 'flux-metrics/tls-secret': 'serving' }),
  },
  {
    reason: 'SocketNotShared',
    message:
      'The socket\'s folder /mnt/flux/config/run/flux is on volume "flux-view", which cannot be shared',
    pod: leadPod({ spec: { volumes: [{ name: 'flux-view', configMap: { name: 'view' } }] } }),
  },
]

for (const { reason, message, pod = leadPod(), facts, means } of REFUSALS) {
  test(`decide skips with ${reason}: ${message}`, () => {
    assert.deepEqual(decide(pod, { ...FACTS, ...facts }, { ...MEANS, ...means }), {
      decision: { kind: 'skip', reason, message, told: !SILENT.includes(reason) },
      warnings: [],
    })
  })
}

test('decide needs no authority where a Secret is named', () => {
  const pod = annotated({ ...ENABLED, 'flux-metrics/tls-secret': 'serving' })
  const { decision } = decide(pod, FACTS, { ...MEANS, hasAuthority: false })
  assert.deepEqual(decision, { ...PLAN, settings: { enabled: true, tlsSecret: 'serving' } })
})

test('decide needs to know no front proxy where an authority will tell', () => {
  const { decision } = decide(leadPod(), FACTS, { ...MEANS, knowsFrontProxy: false })
  assert.deepEqual(decision, PLAN)
})

test('decide keeps warnings beside a skip', () => {
  const minicluster = miniCluster({ annotations: { 'flux-metrics/enabled': 'on' } })
  const { decision, warnings } = decide(leadPod(), { ...FACTS, minicluster }, MEANS)
  assert.equal(decision.kind, 'skip')
  assert.deepEqual(warnings, ['flux-metrics/enabled: expected "true" or "false", got "on"'])
})
