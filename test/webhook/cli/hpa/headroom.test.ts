import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operatorJob } from '../../../../webhook/cli/controllers/operator-job.ts'
import { headroomFor, obstacleToHeadroom } from '../../../../webhook/cli/hpa/headroom.ts'
import { minicluster } from '../sources.ts'

const REQUESTS = { cpu: '2', memory: '4Gi' }

function sized(resources: object, pod: object = {}) {
  const containers = [{ image: 'app', resources }]
  return minicluster({ size: 2, minSize: 2, maxSize: 8, containers, pod })
}

/** The pod of the PodTemplate. */
function podOf(source: ReturnType<typeof minicluster>) {
  const [template] = headroomFor(source, 1)
  return JSON.parse(JSON.stringify(template?.object)).template
}

test('headroomFor keeps room for pods by a CapacityBuffer that refers to the PodTemplate', () => {
  const [template, buffer] = headroomFor(sized({ requests: REQUESTS }), 3)
  assert.deepEqual(template?.object.metadata, {
    name: 'flux-sample-headroom',
    namespace: 'default',
  })
  assert.deepEqual(buffer?.object.spec, {
    podTemplateRef: { name: 'flux-sample-headroom' },
    replicas: 3,
    provisioningStrategy: 'buffer.x-k8s.io/active-capacity',
  })
})

test('headroomFor describes a pod that fits on the same nodes as a pod of the operator', () => {
  const source = sized(
    { requests: REQUESTS },
    { nodeSelector: { pool: 'hpc' }, tolerations: [{ key: 'hpc', operator: 'Exists' }] },
  )
  const { spec: job } = JSON.parse(JSON.stringify(operatorJob(source)))
  const { nodeSelector, tolerations, affinity } = job.template.spec
  const { spec, metadata } = podOf(source)
  assert.deepEqual([spec.nodeSelector, spec.tolerations], [nodeSelector, tolerations])
  assert.deepEqual(spec.affinity, affinity)
  assert.deepEqual(metadata.labels, job.template.metadata.labels)
  assert.deepEqual(spec.containers[0].resources.requests, REQUESTS)
})

test('headroomFor has no fields that would refer to objects or run anything', () => {
  const { spec } = podOf(sized({ requests: REQUESTS }))
  assert.deepEqual(Object.keys(spec).sort(), ['affinity', 'containers', 'initContainers'])
  assert.deepEqual(Object.keys(spec.containers[0]).sort(), ['image', 'name', 'resources'])
})

test('headroomFor takes limits for requests that are missing, as the API server does for pods', () => {
  const { spec } = podOf(sized({ limits: { cpu: '4', memory: '8Gi' }, requests: { cpu: '2' } }))
  assert.deepEqual(spec.containers[0].resources.requests, { cpu: '2', memory: '8Gi' })
})

test('no room can be kept for more pods than the MiniCluster can grow by', () => {
  const source = sized({ requests: REQUESTS })
  assert.equal(obstacleToHeadroom(source, 6), undefined)
  assert.match(obstacleToHeadroom(source, 7) ?? '', /at most 6, .* got 7$/)
})

test('no room can be kept for pods that request nothing', () => {
  assert.match(
    obstacleToHeadroom(sized({}), 1) ?? '',
    /^--headroom: expected a container with requests/,
  )
})
