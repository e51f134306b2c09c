// The MiniCluster that `inject` makes a pod of is the one that the webhook admits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply_patch } from 'jsonpatch'
import { admit } from '../../../../webhook/cli/inject/admitted-minicluster.ts'
import { readDocuments } from '../../../../webhook/cli/input/files/documents.ts'
import { readObjects } from '../../../../webhook/cli/input/files/objects.ts'
import { PROTECTION } from '../../../../webhook/contract.ts'
import { createReviewer } from '../../support-admission.ts'
import { miniClusterReview } from '../../support-objects.ts'

const ENABLED = { 'flux-metrics/enabled': 'true' }
const CONTRARY = { annotations: { 'karpenter.sh/do-not-disrupt': 'false', 'a.b/c~d': 'e' } }

function sent(annotations: object, pod?: object | null, uid?: string) {
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    metadata: { namespace: 'hpc', name: 'a', annotations, ...(uid !== undefined && { uid }) },
    spec: {
      size: 2,
      maxSize: 4,
      containers: [{ image: 'app' }],
      ...(pod !== undefined && { pod }),
    },
  }
}

function admitted(object: object) {
  const documents = readDocuments(JSON.stringify(object), 'a.json')
  const [found] = readObjects(documents.found, { namespace: 'default' }).found
  assert.ok(found?.kind === 'MiniCluster')
  return admit(found)
}

for (const object of [
  sent(ENABLED),
  sent(ENABLED, null),
  sent(ENABLED, CONTRARY),
  sent(ENABLED, { annotations: PROTECTION }),
  sent({}, { annotations: ENABLED }),
  sent({ ...ENABLED, 'flux-metrics/protect': 'false' }),
  sent({}),
]) {
  test(`${JSON.stringify(object.metadata.annotations)} and the pod ${JSON.stringify(object.spec.pod)} are admitted as by the webhook`, async () => {
    const { patch } = await createReviewer().review(miniClusterReview(object))
    const { change, value } = admitted(object)
    const expected = apply_patch<typeof object>(object, [...patch])
    assert.deepEqual(change?.before ?? object, object)
    assert.deepEqual(change?.after ?? object, expected)
    const { annotations } = { annotations: {}, ...expected.spec.pod }
    assert.deepEqual(value.spec.pod.annotations, annotations)
  })
}

test('a MiniCluster without name is printed as it was sent, and has one for what is made of it', () => {
  const { apiVersion, kind, spec } = sent(ENABLED)
  const metadata = { namespace: 'hpc', generateName: 'run-', annotations: ENABLED }
  const { change, value } = admitted({ apiVersion, kind, metadata, spec })
  assert.deepEqual(change?.before, { apiVersion, kind, metadata, spec })
  assert.deepEqual([change?.name, value.metadata.name], ['minicluster/run-*', 'run-*'])
})

test('a MiniCluster that is stored already is not changed', () => {
  assert.equal(admitted(sent(ENABLED, undefined, 'uid-of-minicluster')).change, undefined)
})
