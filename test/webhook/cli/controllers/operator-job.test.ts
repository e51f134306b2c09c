import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { operatorJob } from '../../../../webhook/cli/controllers/operator-job.ts'
import { MiniClusterSource } from '../../../../webhook/cli/input/files/minicluster-source.ts'
import type { Json } from '../../../../webhook/objects/json.ts'
import { minicluster, recorded } from '../sources.ts'

const JobSchema = v.looseObject({
  metadata: v.looseObject({}),
  spec: v.looseObject({
    template: v.looseObject({
      metadata: v.looseObject({}),
      spec: v.looseObject({ containers: v.array(v.record(v.string(), v.unknown())) }),
    }),
  }),
})

function jobOf(spec: object) {
  return v.parse(JobSchema, operatorJob(minicluster(spec)))
}

function podSpecOf(pod: object): Json {
  return jobOf({ pod }).spec.template.spec
}

test('operatorJob makes the Job that the code of the operator made for a recorded MiniCluster', () => {
  const source = v.parse(MiniClusterSource, recorded('admission/minicluster-as-stored.json'))
  const job = operatorJob(source)
  assert.deepEqual(job, recorded('admission/job-made-by-the-operators-code.json'))
})

test('operatorJob copies spec.pod of the MiniCluster', () => {
  const spec = podSpecOf({
    restartPolicy: 'Never',
    serviceAccountName: 'robot',
    automountServiceAccountToken: true,
    runtimeClassName: 'kata',
    schedulerName: 'fluence',
    nodeSelector: { disk: 'fast' },
    tolerations: [{ key: 'gpu', operator: 'Exists', value: '' }],
    dnsPolicy: 'Default',
    hostIPC: true,
    hostPID: true,
    resources: { cpu: '1' },
    securityContext: { fsGroup: 1000, runAsUser: 1000 },
  })
  const { initContainers: _init, containers: _containers, volumes: _volumes, ...rest } = spec
  const { affinity: _affinity, ...others } = rest
  assert.deepEqual(others, {
    restartPolicy: 'Never',
    subdomain: 'flux-sample',
    setHostnameAsFQDN: false,
    shareProcessNamespace: false,
    automountServiceAccountToken: true,
    serviceAccountName: 'robot',
    nodeSelector: { disk: 'fast' },
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
    schedulerName: 'fluence',
    hostPID: true,
    hostIPC: true,
    dnsPolicy: 'Default',
    runtimeClassName: 'kata',
    overhead: { cpu: '1' },
    securityContext: { fsGroup: 1000 },
  })
})

test('operatorJob copies labels and annotations; its own labels win', () => {
  const { metadata } = jobOf({
    pod: { labels: { app: 'mine', team: 'a' }, annotations: { 'flux-metrics/enabled': 'true' } },
  }).spec.template
  assert.deepEqual(metadata, {
    name: 'flux-sample',
    namespace: 'default',
    labels: {
      app: 'flux-operator',
      team: 'a',
      'app.kubernetes.io/name': 'flux-sample',
      'hpa-selector': 'flux-sample',
      namespace: 'default',
    },
    annotations: { 'flux-metrics/enabled': 'true' },
  })
  assert.deepEqual(jobOf({ jobLabels: { team: 'b' } }).metadata.labels, { team: 'b' })
})

test('operatorJob copies the back-off limit and the name of the headless Service', () => {
  const { spec } = jobOf({ backoffLimit: 3, network: { headlessName: 'hpc' } })
  assert.equal(spec.backoffLimit, 3)
  assert.equal(spec.template.spec.subdomain, 'hpc')
})

test('operatorJob restricts nodes unless affinity is disabled', () => {
  const nodeAffinity = { arch: ['arm64', 'amd64'] }
  const { affinity } = podSpecOf({ nodeAffinity })
  assert.deepEqual(v.parse(v.looseObject({ nodeAffinity: v.unknown() }), affinity).nodeAffinity, {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'arch', operator: 'In', values: ['arm64', 'amd64'] }] },
      ],
    },
  })
  const disabled = jobOf({ network: { disableAffinity: true }, pod: { nodeAffinity } })
  assert.equal(disabled.spec.template.spec.affinity, undefined)
})

test('operatorJob copies the names of image pull secrets', () => {
  const containers = [{ image: 'app', imagePullSecret: 'registry' }]
  const { imagePullSecrets } = jobOf({ containers }).spec.template.spec
  assert.deepEqual(imagePullSecrets, [{ name: 'registry' }])
})
