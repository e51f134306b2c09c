import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBestEffort, isGuaranteed } from '../../../../webhook/injection/resources/quality.ts'
import type { Container } from '../../../../webhook/objects/pod.ts'
import { leadPod } from '../../support-objects.ts'

/** A pod whose containers all have these resources. */
function sized(...all: readonly Container['resources'][]) {
  const containers = all.map((resources, index) => ({ name: `c${index}`, resources }))
  return leadPod({ spec: { containers, initContainers: null } })
}

const GUARANTEED = { limits: { cpu: '2', memory: '4Gi' }, requests: { cpu: 2, memory: '4096Mi' } }

test('isGuaranteed compares amounts, not texts', () => {
  assert.equal(isGuaranteed(sized(GUARANTEED, GUARANTEED)), true)
})

test('isGuaranteed counts a request that is not set as equal to its limit', () => {
  assert.equal(isGuaranteed(sized({ limits: GUARANTEED.limits })), true)
})

const NOT_GUARANTEED: readonly (readonly [string, Container['resources']])[] = [
  ['nothing', undefined],
  ['requests alone', { requests: GUARANTEED.requests }],
  ['no limit of memory', { limits: { cpu: '2' } }],
  ['less requested than the limit', { ...GUARANTEED, requests: { cpu: '1', memory: '4Gi' } }],
  ['a limit of 0', { limits: { cpu: '0', memory: '4Gi' } }],
]

for (const [what, resources] of NOT_GUARANTEED) {
  test(`isGuaranteed is false where a container has ${what}`, () => {
    assert.equal(isGuaranteed(sized(GUARANTEED, resources)), false)
  })
}

test('isGuaranteed counts init containers', () => {
  const pod = sized(GUARANTEED)
  const spec = { ...pod.spec, initContainers: [{ name: 'init' }] }
  assert.equal(isGuaranteed({ ...pod, spec }), false)
})

test('in a pod with resources of its own the containers make nothing Guaranteed', () => {
  const pod = sized(GUARANTEED)
  const own = { ...pod, spec: { ...pod.spec, resources: { limits: { memory: '1Gi' } } } }
  assert.equal(isGuaranteed(own), false)
})

const AMOUNTS: readonly (readonly [Container['resources'], boolean])[] = [
  [undefined, true],
  [{ limits: { 'nvidia.com/gpu': 1 }, requests: { cpu: '0' } }, true],
  [{ requests: { memory: '1' } }, false],
  [{ limits: { cpu: '1m' } }, false],
]

for (const [resources, best] of AMOUNTS) {
  test(`isBestEffort is ${best} with ${JSON.stringify(resources)}`, () => {
    assert.equal(isBestEffort(sized({}, resources)), best)
  })
}

test('isBestEffort looks at the resources of the pod itself first', () => {
  const withOwn = (resources: Container['resources'], own: Container['resources']) => {
    const pod = sized(resources)
    return isBestEffort({ ...pod, spec: { ...pod.spec, resources: own } })
  }
  assert.equal(withOwn({}, { requests: { cpu: '1' } }), false)
  assert.equal(withOwn(GUARANTEED, { requests: { cpu: '0' } }), true)
  assert.equal(withOwn(GUARANTEED, {}), false)
})
