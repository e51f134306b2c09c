import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf, subjectIn } from '../../../../../../webhook/cli/dashboard/page/browser/route.ts'

test('an address names a MiniCluster, or none', () => {
  const subject = { namespace: 'hpc', name: 'flux-sample' }
  assert.equal(hashOf(subject), '#/hpc/flux-sample')
  assert.deepEqual(subjectIn('#/hpc/flux-sample'), subject)
  for (const hash of ['', '#', '#/', '#/hpc', '#/hpc/', '#/a/b/c', '#/../x', '#/a/<b>']) {
    assert.equal(subjectIn(hash), undefined, hash)
  }
})
