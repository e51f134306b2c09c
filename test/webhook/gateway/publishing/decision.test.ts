import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ApiVersion,
  CUSTOM,
  EXTERNAL,
  parseApiService,
} from '../../../../webhook/gateway/publishing/api-service.ts'
import {
  type Decision,
  decide,
  type Group,
  type Step,
} from '../../../../webhook/gateway/publishing/decision.ts'
import type { NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { objectsBelow } from '../../../support/manifests.ts'
import {
  ADAPTER_PLACE,
  DESTINATION,
  DIRECT_PLACE,
  EXTERNAL_API,
  GATEWAY_PLACE,
  KEDA_PLACE,
  leadingTo,
  NEVER,
  OLDER,
  OURS_BY_LABEL,
  ours,
  PREFERRED,
  withKeda,
} from './api-services.ts'

const ALONE: Group = {
  name: 'custom.metrics.k8s.io',
  isServed: true,
  upstream: undefined,
  variable: 'UPSTREAM_CUSTOM_METRICS',
}
const BESIDE: Group = { ...ALONE, upstream: ADAPTER_PLACE }

function decideOn(
  objects: readonly (NewObject | undefined)[],
  group: Group = ALONE,
  versions: readonly ApiVersion[] = CUSTOM,
): readonly Decision[] {
  const found = versions.map((version, index) => {
    const object = objects[index]
    return [version, object && parseApiService(object)] as const
  })
  return decide(found, group, DESTINATION)
}

/** The steps in words; a change with the Service that it takes the APIService from. */
function stepsOf(decisions: readonly Decision[]): readonly string[] {
  return decisions.map(({ step }) => textOf(step))
}

function textOf(step: Step): string {
  if (step.kind !== 'change') return step.kind
  const { kind, from } = step.change
  return from === undefined ? kind : `${kind} from ${from.namespace}/${from.name}`
}

/** The object that a step writes. */
function written(decisions: readonly Decision[], index: number): NewObject {
  const step = decisions[index]?.step
  assert.ok(step?.kind === 'change')
  return step.change.object
}

const FOREIGN = leadingTo(ADAPTER_PLACE)
const FOREIGN_OLDER = leadingTo(ADAPTER_PLACE, OLDER)
const DIRECT = { labels: OURS_BY_LABEL }

const CASES: readonly (readonly [
  string,
  readonly (NewObject | undefined)[],
  Group,
  readonly string[],
])[] = [
  ['nothing is there', [], ALONE, ['create', 'create']],
  ['both are ours', [ours(), ours(OLDER)], ALONE, ['keep', 'keep']],
  ['one is missing', [ours()], ALONE, ['keep', 'create']],
  ['another adapter has one', [undefined, FOREIGN_OLDER], ALONE, ['leave', 'leave']],
  ['another adapter has both', [FOREIGN, FOREIGN_OLDER], ALONE, ['leave', 'leave']],
  ['another adapter takes one', [ours(), FOREIGN_OLDER], ALONE, ['leave', 'leave']],
  [
    'the upstream adapter has one',
    [undefined, FOREIGN_OLDER],
    BESIDE,
    ['create', 'take over from monitoring/prometheus-adapter'],
  ],
  [
    'another than the upstream adapter has one',
    [leadingTo({ ...ADAPTER_PLACE, name: 'keda' }), FOREIGN_OLDER],
    BESIDE,
    ['leave', 'leave'],
  ],
  [
    'the upstream adapter is at another port',
    [leadingTo({ ...ADAPTER_PLACE, port: 6443 })],
    BESIDE,
    ['leave', 'leave'],
  ],
  ['the API server serves one itself', [leadingTo(undefined)], BESIDE, ['leave', 'leave']],
  [
    'one sidecar serves both',
    [leadingTo(DIRECT_PLACE, PREFERRED, DIRECT), leadingTo(DIRECT_PLACE, OLDER, DIRECT)],
    ALONE,
    [
      'take over from default/custom-metrics-apiserver',
      'take over from default/custom-metrics-apiserver',
    ],
  ],
  [
    'one is annotated, whoever has it',
    [leadingTo(ADAPTER_PLACE, PREFERRED, { annotations: NEVER }), ours(OLDER)],
    BESIDE,
    ['leave', 'leave'],
  ],
  [
    'one of ours lost its label',
    [leadingTo(GATEWAY_PLACE), ours(OLDER)],
    ALONE,
    ['repair', 'keep'],
  ],
  [
    'another adapter was installed over one',
    [ours(), leadingTo(ADAPTER_PLACE, OLDER, DIRECT)],
    ALONE,
    ['leave', 'release'],
  ],
  [
    'the upstream adapter was installed again over one',
    [ours(), leadingTo(ADAPTER_PLACE, OLDER, DIRECT)],
    BESIDE,
    ['keep', 'take over from monitoring/prometheus-adapter'],
  ],
  [
    'another adapter was installed over one that is annotated',
    [leadingTo(ADAPTER_PLACE, PREFERRED, { ...DIRECT, annotations: NEVER })],
    ALONE,
    ['leave', 'leave'],
  ],
  [
    'it leads to the gateway of another namespace',
    [leadingTo({ ...GATEWAY_PLACE, namespace: 'before' }, PREFERRED, DIRECT), ours(OLDER)],
    ALONE,
    ['take over from before/flux-metrics-gateway', 'keep'],
  ],
  ['it is not served any more', [ours(), ours(OLDER)], off(), ['remove', 'remove']],
  ['it is not served, and annotated', [annotated(ours())], off(), ['none', 'none']],
  ['it is not served, and is of another', [FOREIGN], off(), ['none', 'none']],
  [
    'it is not served, and another adapter was installed over it',
    [leadingTo(ADAPTER_PLACE, PREFERRED, DIRECT)],
    off(),
    ['release', 'none'],
  ],
  [
    'it is not served, and one sidecar serves it',
    [leadingTo(DIRECT_PLACE, PREFERRED, DIRECT)],
    off(),
    ['none', 'none'],
  ],
]

function off(): Group {
  return { ...ALONE, isServed: false }
}

function annotated(object: NewObject): NewObject {
  return { ...object, metadata: { ...object.metadata, annotations: NEVER } }
}

for (const [what, objects, group, expected] of CASES) {
  test(`decide where ${what}: ${expected.join(', ')}`, () => {
    assert.deepEqual(stepsOf(decideOn(objects, group)), expected)
  })
}

test('decide leaves the APIServices of overlays/direct and overlays/external alone', () => {
  const objects = objectsBelow('overlays').filter(({ kind }) => kind === 'APIService')
  const named = (version: ApiVersion) =>
    objects.find(({ metadata }) => metadata.name === `${version.version}.${version.group}`)
  assert.equal(objects.length, 3)
  assert.deepEqual(stepsOf(decideOn(CUSTOM.map(named))), ['leave', 'leave'])
  assert.deepEqual(stepsOf(decideOn(EXTERNAL.map(named), ALONE, EXTERNAL)), ['leave'])
})

test('an APIService of ours is as in overlays/direct, but for its Service', () => {
  for (const version of [PREFERRED, OLDER, EXTERNAL_API]) {
    const { metadata, spec } = ours(version)
    const direct = objectsBelow('overlays').find((one) => one.metadata.name === metadata.name)
    const { caBundle } = DESTINATION
    assert.deepEqual(spec, { ...Object(direct?.spec), service: GATEWAY_PLACE, caBundle })
  }
})

test('decide says whose the group is, and what to do', () => {
  const [first] = decideOn([undefined, FOREIGN_OLDER])
  assert.deepEqual(first?.step, {
    kind: 'leave',
    because: 'v1beta1.custom.metrics.k8s.io',
    why:
      'It belongs to another adapter: it leads to Service monitoring/prometheus-adapter:443, and ' +
      'UPSTREAM_CUSTOM_METRICS does not name that. To have both, run: flux-metrics adopt',
  })
})

test('decide says which annotation keeps it from a group', () => {
  const [first] = decideOn([annotated(FOREIGN)], BESIDE)
  assert.deepEqual(first?.step, {
    kind: 'leave',
    because: 'v1beta2.custom.metrics.k8s.io',
    why: 'It has the annotation flux-metrics/take-over=never; it leads to Service monitoring/prometheus-adapter:443',
  })
})

test('a repair keeps the bundle, which is the webhook’s to change', () => {
  const spec = { caBundle: 'bmV3ZXI=' }
  const changed = leadingTo(GATEWAY_PLACE, PREFERRED, { labels: OURS_BY_LABEL, spec })
  assert.deepEqual(written(decideOn([changed]), 0).spec, { ...Object(ours().spec), ...spec })
})

test('an APIService over which KEDA was installed is KEDA’s, with nothing of ours but the bundle, which KEDA replaces', () => {
  const keda = withKeda()
  const decisions = decideOn([keda], ALONE, EXTERNAL)
  assert.deepEqual(stepsOf(decisions), ['release'])
  const { metadata, ...rest } = written(decisions, 0)
  assert.deepEqual(metadata, {
    name: 'v1beta1.external.metrics.k8s.io',
    labels: {
      'app.kubernetes.io/name': 'v1beta1.external.metrics.k8s.io',
      'app.kubernetes.io/part-of': 'keda-operator',
      'app.kubernetes.io/version': 'main',
    },
    ownerReferences: [],
  })
  assert.deepEqual(rest, { apiVersion: keda.apiVersion, kind: keda.kind, spec: keda.spec })
  assert.deepEqual(stepsOf(decideOn([{ ...rest, metadata }], ALONE, EXTERNAL)), ['leave'])
  const upstream = { ...ALONE, upstream: KEDA_PLACE }
  assert.deepEqual(stepsOf(decideOn([keda], upstream, EXTERNAL)), [
    'take over from keda/keda-metrics-apiserver',
  ])
})

test('an APIService that is released keeps the labels and owners of others', () => {
  const foreign = leadingTo(ADAPTER_PLACE, PREFERRED, {
    labels: { ...ours().metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' },
  })
  const [owner] = ours().metadata.ownerReferences ?? []
  const another = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }
  assert.ok(owner)
  const metadata = { ...foreign.metadata, ownerReferences: [owner, another], resourceVersion: '7' }
  const object = written(decideOn([{ ...foreign, metadata }]), 0)
  assert.deepEqual(object.metadata, {
    ...metadata,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    ownerReferences: [another],
  })
})

test('one of ours that leads to another Service gets the gateway’s bundle: by its own nobody could verify the gateway', () => {
  const spec = { caBundle: 'dGhlaXJz' }
  const changed = leadingTo(ADAPTER_PLACE, PREFERRED, { labels: OURS_BY_LABEL, spec })
  assert.deepEqual(written(decideOn([changed], BESIDE), 0).spec, ours().spec)
})

test('an APIService without bundle gets one, and never skips the verification', () => {
  const spec = { insecureSkipTLSVerify: true }
  const changed = leadingTo(GATEWAY_PLACE, PREFERRED, { labels: OURS_BY_LABEL, spec })
  assert.deepEqual(written(decideOn([changed]), 0).spec, ours().spec)
})

test('to take over replaces the spec and the owners, and keeps what others read', () => {
  const labels = { 'app.kubernetes.io/managed-by': 'Helm' }
  const annotations = { 'meta.helm.sh/release-name': 'prometheus-adapter' }
  const spec = { caBundle: 'dGhlaXJz', insecureSkipTLSVerify: false, versionPriority: 7 }
  const foreign = leadingTo(ADAPTER_PLACE, PREFERRED, { labels, annotations, spec })
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }]
  const metadata = { ...foreign.metadata, resourceVersion: '7', ownerReferences }
  const object = written(decideOn([{ ...foreign, metadata }], BESIDE), 0)
  assert.deepEqual(object.spec, ours().spec)
  assert.deepEqual(object.metadata, {
    ...metadata,
    labels: { ...labels, ...ours().metadata.labels },
    ownerReferences: ours().metadata.ownerReferences,
  })
})

test('a former owner of the same name is replaced: garbage collection would delete the APIService', () => {
  const { metadata, ...rest } = ours()
  const [owner] = metadata.ownerReferences ?? []
  assert.ok(owner)
  const old = { ...rest, metadata: { ...metadata, ownerReferences: [{ ...owner, uid: 'old' }] } }
  const decisions = decideOn([old])
  assert.equal(stepsOf(decisions)[0], 'repair')
  assert.deepEqual(written(decisions, 0).metadata.ownerReferences, metadata.ownerReferences)
})
