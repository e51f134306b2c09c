import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathOf } from '../../../webhook/kubernetes/api-path.ts'

test('pathOf finds objects of the core group and of other groups, with and without a namespace', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'hpc', name: 'flux-sample-0-abcde' }
  assert.equal(pathOf(pod), '/api/v1/namespaces/hpc/pods/flux-sample-0-abcde')
  const minicluster = {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    namespace: 'hpc',
    name: 'flux-sample',
  }
  assert.equal(
    pathOf(minicluster),
    '/apis/flux-framework.org/v1alpha2/namespaces/hpc/miniclusters/flux-sample',
  )
  const service = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    name: 'v1beta2.custom.metrics.k8s.io',
  }
  assert.equal(
    pathOf(service),
    '/apis/apiregistration.k8s.io/v1/apiservices/v1beta2.custom.metrics.k8s.io',
  )
})

test('pathOf without a name is the collection', () => {
  const reviews = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' }
  assert.equal(pathOf(reviews), '/apis/authentication.k8s.io/v1/tokenreviews')
})

test('pathOf knows only the kinds that the webhook uses', () => {
  assert.equal(pathOf({ apiVersion: 'v1', kind: 'Node', name: 'a' }), undefined)
})

for (const hostile of ['', '..', 'a/b', '%2e%2e', 'a?x=1', 'A', 'a..b', '-a', 'a'.repeat(254)]) {
  test(`pathOf makes no path of the name ${JSON.stringify(hostile.slice(0, 20))}`, () => {
    const place = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'hpc', name: 'a' }
    assert.equal(pathOf({ ...place, name: hostile }), undefined)
    assert.equal(pathOf({ ...place, namespace: hostile }), undefined)
  })
}

for (const hostile of ['', 'batch', 'batch/', 'batch/../v1', 'batch/v1/x', 'batch/v1?x', '../v1']) {
  test(`pathOf makes no path of the version ${JSON.stringify(hostile)}`, () => {
    assert.equal(pathOf({ apiVersion: hostile, kind: 'Job', namespace: 'a', name: 'a' }), undefined)
  })
}
