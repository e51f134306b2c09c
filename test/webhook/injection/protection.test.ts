import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PROTECTION } from '../../../webhook/contract.ts'
import { applyTo } from '../../../webhook/injection/json-patch.ts'
import {
  isProtected,
  missingProtection,
  protectPods,
  wantsProtection,
} from '../../../webhook/injection/protection.ts'
import { runs } from '../../support/runs.ts'

const KARPENTER = 'karpenter.sh/do-not-disrupt'
const AUTOSCALER = 'cluster-autoscaler.kubernetes.io/safe-to-evict'
const ENABLED = { enabled: true }

const UNWANTED = [{}, { enabled: false }, { protect: true }, { enabled: true, protect: false }]

for (const settings of UNWANTED) {
  test(`no protection is wanted with ${JSON.stringify(settings)}`, () => {
    assert.equal(wantsProtection(settings), false)
    assert.deepEqual(missingProtection(undefined, settings), {})
    assert.deepEqual(protectPods({ spec: {} }, settings), [])
  })
}

test('missingProtection leaves what the user has set, also to the contrary', () => {
  assert.deepEqual(missingProtection({ [KARPENTER]: 'false' }, ENABLED), { [AUTOSCALER]: 'false' })
  assert.deepEqual(missingProtection({ [KARPENTER]: '', [AUTOSCALER]: 'true' }, ENABLED), {})
  assert.deepEqual(missingProtection(null, ENABLED), PROTECTION)
})

test('isProtected needs both annotations with the values that autoscalers expect', () => {
  assert.equal(isProtected(PROTECTION), true)
  for (const annotations of [null, undefined, {}, { ...PROTECTION, [KARPENTER]: '30m' }]) {
    assert.equal(isProtected(annotations), false)
  }
})

const ADDED: readonly (readonly [spec: unknown, after: unknown])[] = [
  [{}, { pod: { annotations: PROTECTION } }],
  [
    { size: 2, pod: null },
    { size: 2, pod: { annotations: PROTECTION } },
  ],
  [{ pod: {} }, { pod: { annotations: PROTECTION } }],
  [{ pod: { annotations: null, labels: {} } }, { pod: { annotations: PROTECTION, labels: {} } }],
  [
    { pod: { annotations: { 'a~b/c': 'd', [AUTOSCALER]: 'true' } } },
    { pod: { annotations: { 'a~b/c': 'd', [AUTOSCALER]: 'true', [KARPENTER]: 'true' } } },
  ],
]

for (const [spec, after] of ADDED) {
  test(`protectPods makes ${JSON.stringify(after)} of ${JSON.stringify(spec)}`, () => {
    assert.deepEqual(applyTo({ spec }, protectPods({ spec }, ENABLED)), { spec: after })
  })
}

const STRANGE = [
  undefined,
  null,
  'spec',
  {},
  { spec: null },
  { spec: [] },
  { spec: { pod: 'pod' } },
  { spec: { pod: [] } },
  { spec: { pod: { annotations: [] } } },
  { spec: { pod: { annotations: 'a' } } },
]

for (const object of STRANGE) {
  test(`protectPods leaves ${JSON.stringify(object)} to the API server`, () => {
    assert.deepEqual(protectPods(object, ENABLED), [])
  })
}

/** A spec in any shape that JSON has, often near the right one. */
const specs = fc.oneof(
  fc.jsonValue(),
  fc.record({ pod: fc.jsonValue() }),
  fc.record({
    pod: fc.record({
      annotations: fc.oneof(
        fc.jsonValue(),
        fc.dictionary(
          fc.oneof(
            fc.string({ unit: 'grapheme' }),
            fc.constantFrom(KARPENTER, AUTOSCALER, 'constructor', 'a/b~c', '~1', '__proto__'),
          ),
          fc.jsonValue({ maxDepth: 1 }),
        ),
      ),
      labels: fc.jsonValue(),
    }),
  }),
)

/** As it arrives: `__proto__` is a key like any other there. */
function parsed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function without(spec: unknown): unknown {
  const text = JSON.stringify(spec, (key, value) => (key in PROTECTION ? undefined : value))
  return text === undefined ? undefined : JSON.parse(text)
}

test('whatever the spec is, the patch applies, changes nothing of the user, and a second one is empty', () => {
  const numRuns = runs(2_000)
  let patched = 0
  fc.assert(
    fc.property(specs, fc.boolean(), (spec, protect) => {
      const object = { spec: parsed(spec) }
      const before = JSON.stringify(object)
      const patch = protectPods(object, { ...ENABLED, protect })
      const after = applyTo(object, patch)
      assert.equal(JSON.stringify(object), before)
      assert.deepEqual(protectPods(after, { ...ENABLED, protect }), [])
      if (patch.length === 0) return assert.deepEqual(after, object)
      assert.ok(protect)
      patched += 1
      for (const { path, value } of patch) {
        assert.match(path, /^\/spec\/pod(\/annotations(\/[^/]+)?)?$/)
        if (typeof value === 'string')
          assert.ok(Object.values(PROTECTION).some((is) => is === value))
      }
      const kept = { pod: { annotations: {} }, ...Object(without(Object(after).spec)) }
      const was = { pod: { annotations: {} }, ...Object(without(object.spec)) }
      if (was.pod === null) was.pod = { annotations: {} }
      was.pod = { ...was.pod, annotations: was.pod.annotations ?? {} }
      assert.deepEqual(parsed(kept), parsed(was))
    }),
    { numRuns },
  )
  assert.ok(patched > numRuns / 20, `${patched} of ${numRuns} patched`)
})

test('annotations of 250 KiB are protected in one small patch', () => {
  const many = Object.fromEntries(
    Array.from({ length: 8_000 }, (_, at) => [`example.com/${at}`, 'v'.repeat(16)]),
  )
  const object = {
    spec: { pod: { annotations: { ...many, [`long/${'~'.repeat(250_000)}`]: 'v' } } },
  }
  const patch = protectPods(object, ENABLED)
  assert.deepEqual(patch, [
    { op: 'add', path: '/spec/pod/annotations/karpenter.sh~1do-not-disrupt', value: 'true' },
    {
      op: 'add',
      path: '/spec/pod/annotations/cluster-autoscaler.kubernetes.io~1safe-to-evict',
      value: 'false',
    },
  ])
  assert.deepEqual(protectPods(applyTo(object, patch), ENABLED), [])
})
