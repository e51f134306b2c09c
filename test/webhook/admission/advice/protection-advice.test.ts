import assert from 'node:assert/strict'
import { test } from 'node:test'
import { annotatePods } from '../../../../webhook/admission/advice/protection-advice.ts'

test('the command that protects pods names their namespace where it is known', () => {
  const names =
    'karpenter.sh/do-not-disrupt=true cluster-autoscaler.kubernetes.io/safe-to-evict=false'
  const ofJob = `-l job-name=flux-sample ${names}`
  const name = 'flux-sample'
  assert.equal(annotatePods({ name, namespace: 'hpc' }), `kubectl annotate pods -n hpc ${ofJob}`)
  for (const namespace of [undefined, '']) {
    assert.equal(annotatePods({ name, namespace }), `kubectl annotate pods ${ofJob}`)
  }
})
