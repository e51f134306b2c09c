// components/guard: whom the policies concern, which objects, and the fields that they compare. That they hold is tested in e2e/.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { PUBLISHED } from '../../webhook/authority/published-object.ts'
import { pathOf } from '../../webhook/kubernetes/api-path.ts'
import { NAMESPACE, POD } from '../support/deployment.ts'
import { objectsBelow } from '../support/manifests.ts'

const PolicySchema = v.object({
  metadata: v.object({ name: v.string() }),
  spec: v.strictObject({
    failurePolicy: v.literal('Fail'),
    matchConstraints: v.strictObject({
      resourceRules: v.strictTuple([
        v.strictObject({
          apiGroups: v.strictTuple([v.string()]),
          apiVersions: v.strictTuple([v.literal('*')]),
          resources: v.strictTuple([v.string()]),
          operations: v.strictTuple([v.literal('UPDATE')]),
        }),
      ]),
    }),
    matchConditions: v.strictTuple([v.object({ expression: v.string() })]),
    validations: v.array(v.strictObject({ expression: v.string(), message: v.string() })),
  }),
})

const BindingSchema = v.object({
  spec: v.strictObject({
    policyName: v.string(),
    validationActions: v.strictTuple([v.literal('Deny')]),
  }),
})

const OBJECTS = objectsBelow('components/guard')
const POLICIES = OBJECTS.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy').map((object) =>
  v.parse(PolicySchema, object),
)
const NAMES = POLICIES.map(({ metadata }) => metadata.name)

test('every policy denies', () => {
  const bound = OBJECTS.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding').map(
    (object) => v.parse(BindingSchema, object).spec.policyName,
  )
  assert.deepEqual(bound, NAMES)
  assert.equal(OBJECTS.length, 2 * NAMES.length)
})

test('the policies concern all kinds to which the webhook publishes its CA', () => {
  const guarded = POLICIES.map(({ spec }) => {
    const [{ apiGroups, resources }] = spec.matchConstraints.resourceRules
    return `/apis/${apiGroups[0]}/v1/${resources[0]}`
  })
  const published = PUBLISHED.map(({ apiVersion, kind }) => pathOf({ apiVersion, kind }))
  assert.deepEqual(guarded.toSorted(), [...new Set(published)].toSorted())
})

test('the policies concern the service account of the webhook in any namespace, and nobody else', () => {
  const { serviceAccountName } = v.parse(v.object({ serviceAccountName: v.string() }), POD.spec)
  for (const { spec } of POLICIES) {
    const [, pattern = ''] =
      /^request\.userInfo\.username\.matches\('(.*)'\)$/.exec(spec.matchConditions[0].expression) ??
      []
    const concerned = [
      `system:serviceaccount:${NAMESPACE}:${serviceAccountName}`,
      `system:serviceaccount:other:${serviceAccountName}`,
      `system:serviceaccount:other:${serviceAccountName}-2`,
      `system:serviceaccount:${NAMESPACE}:other`,
      serviceAccountName,
    ].map((user) => new RegExp(pattern).test(user))
    assert.deepEqual(concerned, [true, true, false, false, false])
  }
})

/** The fields of Kubernetes 1.37 (openapi/v3). A caBundle may change. */
const FIELDS = {
  'flux-metrics-webhook-configuration': [
    'admissionReviewVersions',
    'clientConfig.service',
    'clientConfig.url',
    'failurePolicy',
    'matchConditions',
    'matchPolicy',
    'name',
    'namespaceSelector',
    'objectSelector',
    'reinvocationPolicy',
    'rules',
    'sideEffects',
    'timeoutSeconds',
  ],
  'flux-metrics-api-services': [
    'group',
    'groupPriorityMinimum',
    'service',
    'version',
    'versionPriority',
  ],
} as const
const METADATA = ['annotations', 'finalizers', 'labels', 'ownerReferences']

for (const [name, fields] of Object.entries(FIELDS)) {
  test(`${name} compares every field with its old value, except caBundle`, () => {
    const policy = POLICIES.find(({ metadata }) => metadata.name === name)
    const text = policy?.spec.validations.map(({ expression }) => expression).join(' && ') ?? ''
    const compared = [
      ...text.matchAll(
        /\b(?:is|object\.spec|object\.metadata)((?:\.\??\w+)+) == (?:was|oldObject\.spec|oldObject\.metadata)\1(?![\w.])/g,
      ),
    ].map(([, path = '']) => path.replaceAll('?', '').slice(1))
    assert.deepEqual(compared.toSorted(), [...fields, ...METADATA].toSorted())
  })
}
