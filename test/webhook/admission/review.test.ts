import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#serving/status.ts'
import { decodeReview, encodeAnswer, fitWarnings } from '../../../webhook/admission/review.ts'
import { leadPod, miniCluster, miniClusterReview, podReview } from '../support-objects.ts'

function bytes(review: unknown): Buffer {
  return Buffer.from(JSON.stringify(review))
}

test('decodeReview reads the creation of a pod', () => {
  const object = leadPod()
  assert.deepEqual(decodeReview(bytes(podReview(object))), {
    uid: 'uid-of-review',
    operation: 'CREATE',
    kind: 'Pod',
    subResource: undefined,
    namespace: 'default',
    dryRun: false,
    object,
    oldObject: null,
  })
})

test('decodeReview names a kind with its group', () => {
  const object = miniCluster()
  const { kind, oldObject } = decodeReview(bytes(miniClusterReview(object, object)))
  assert.deepEqual([kind, oldObject], ['MiniCluster.flux-framework.org', object])
})

test('decodeReview has defaults for fields that an API server leaves out', () => {
  const request = { uid: 'a', operation: 'DELETE', kind: { kind: 'Node' } }
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
  assert.deepEqual(decodeReview(bytes(review)), {
    uid: 'a',
    operation: 'DELETE',
    kind: 'Node',
    subResource: undefined,
    namespace: '',
    dryRun: false,
    object: undefined,
    oldObject: undefined,
  })
})

test('decodeReview reads dry runs and subresources', () => {
  const request = { dryRun: true, subResource: 'status' }
  const { dryRun, subResource } = decodeReview(bytes(podReview(null, request)))
  assert.deepEqual([dryRun, subResource], [true, 'status'])
})

/** Bodies that are not a review, and the text of the refusal. */
const REFUSED: readonly (readonly [what: string, body: Buffer, complaint: RegExp])[] = [
  ['nothing', Buffer.alloc(0), /^expected JSON: /],
  ['no JSON', Buffer.from('apiVersion: v1'), /^expected JSON: /],
  ['JSON that is cut', bytes(podReview(leadPod())).subarray(0, 100), /^expected JSON: /],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00]), /^expected JSON: /],
  ['null', bytes(null), /^expected Object at "the body"$/],
  ['a list', bytes([]), /^expected "apiVersion" at "apiVersion"$/],
  [
    'an old version',
    bytes({ ...podReview({}), apiVersion: 'admission.k8s.io/v1beta1' }),
    /^expected "admission.k8s.io\/v1" at "apiVersion"$/,
  ],
  [
    'another kind',
    bytes({ ...podReview({}), kind: 'Status' }),
    /^expected "AdmissionReview" at "kind"$/,
  ],
  [
    'no request',
    bytes({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: {} }),
    /^expected "request" at "request"$/,
  ],
  ['no uid', bytes(podReview({}, { uid: undefined })), /^expected "uid" at "request.uid"$/],
  ['an empty uid', bytes(podReview({}, { uid: '' })), /^expected >=1 at "request.uid"$/],
  [
    'a uid that is a number',
    bytes(podReview({}, { uid: 1 })),
    /^expected string at "request.uid"$/,
  ],
  [
    'a kind that is a string',
    bytes(podReview({}, { kind: 'Pod' })),
    /^expected Object at "request.kind"$/,
  ],
  [
    'a dry run that is a string',
    bytes(podReview({}, { dryRun: 'false' })),
    /^expected boolean at "request.dryRun"$/,
  ],
]

for (const [what, body, complaint] of REFUSED) {
  test(`decodeReview refuses ${what}`, () => {
    assert.throws(
      () => decodeReview(body),
      (error) => {
        assert.ok(error instanceof StatusError)
        const [start, why] = error.message.split(/(?<=^Cannot read AdmissionReview: )/)
        assert.deepEqual([error.code, start], [400, 'Cannot read AdmissionReview: '])
        assert.match(why ?? '', complaint)
        return true
      },
    )
  })
}

test('decodeReview reads a body with deep nesting', () => {
  const depth = 95
  const text = JSON.stringify(podReview('deep'))
  const body = text.replace('"deep"', `${'['.repeat(depth)}${']'.repeat(depth)}`)
  assert.equal(decodeReview(Buffer.from(body)).uid, 'uid-of-review')
})

test('decodeReview reads no body with so many values that they would fill the heap', () => {
  const values = `[${'{},'.repeat(200_000)}{}]`
  const body = JSON.stringify(podReview('many')).replace('"many"', values)
  const message = 'Cannot read AdmissionReview: it has more than 100000 keys and values'
  assert.throws(() => decodeReview(Buffer.from(body)), { code: 400, message })
})

test('decodeReview reads a body with many keys', () => {
  const keys = Object.fromEntries(Array.from({ length: 16_000 }, (_, index) => [`k${index}`, '']))
  const { uid, object } = decodeReview(bytes({ ...podReview(keys, keys), ...keys }))
  assert.deepEqual([uid, object], ['uid-of-review', keys])
})

test('decodeReview lets no review change the prototype of objects', () => {
  const text = JSON.stringify(podReview('pod')).replace('"pod"', '{"__proto__":{"polluted":true}}')
  decodeReview(Buffer.from(text))
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
})

function answered(answer: Parameters<typeof encodeAnswer>[1]): unknown {
  return JSON.parse(encodeAnswer('uid-of-review', answer))
}

function allowed(response: object) {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'uid-of-review', allowed: true, ...response },
  }
}

test('encodeAnswer sends neither patch nor warnings for an object that stays as it is', () => {
  assert.deepEqual(answered({ patch: [], warnings: [] }), allowed({}))
})

test('encodeAnswer sends a patch in base64, with its type', () => {
  const patch = [{ op: 'add', path: '/metadata/labels/ä', value: 'ß' }]
  assert.deepEqual(
    answered({ patch, warnings: [] }),
    allowed({
      patchType: 'JSONPatch',
      patch: 'W3sib3AiOiJhZGQiLCJwYXRoIjoiL21ldGFkYXRhL2xhYmVscy/DpCIsInZhbHVlIjoiw58ifV0=',
    }),
  )
})

test('fitWarnings escapes what nobody sees, before it cuts', () => {
  assert.deepEqual(fitWarnings(['a\u202eb']), ['a\\u{202e}b'])
  assert.deepEqual(fitWarnings(['\u200b'.repeat(150)]), [`${'\\u{200b}'.repeat(24)}\\u{200b…`])
})

test('fitWarnings cuts warnings to the limits of the API server, and counts the others', () => {
  const long = ['a'.repeat(200), 'b'.repeat(201)]
  const fitting = ['a'.repeat(200), `${'b'.repeat(199)}…`]
  const many = (count: number) => Array.from({ length: count }, () => 'c')
  assert.deepEqual(fitWarnings([...long, ...many(8)]), [...fitting, ...many(8)])
  assert.deepEqual(fitWarnings([...long, ...many(12)]), [
    ...fitting,
    ...many(7),
    '5 more warnings are not shown',
  ])
})
