// components/guard: whom the policies concern, which objects, and the fields that they compare. That they hold is tested in e2e/.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { publishedFrom } from '../../webhook/authority/published-object.ts'
import { GATEWAY } from '../../webhook/contract.ts'
import { pathOf } from '../../webhook/kubernetes/api-path.ts'
import { NAMESPACE, workloadIn } from '../support/deployment.ts'
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
          operations: v.array(v.string()),
        }),
      ]),
    }),
    matchConditions: v.strictTuple([v.object({ expression: v.string() })]),
    variables: v.optional(v.array(v.strictObject({ name: v.string(), expression: v.string() }))),
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
const OF_GATEWAY = POLICIES.filter(({ metadata }) => metadata.name === GATEWAY)
const OF_WEBHOOK = POLICIES.filter(({ metadata }) => metadata.name !== GATEWAY)

test('every policy denies', () => {
  const bound = OBJECTS.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding').map(
    (object) => v.parse(BindingSchema, object).spec.policyName,
  )
  assert.deepEqual(bound, NAMES)
  assert.equal(OBJECTS.length, 2 * NAMES.length)
})

/** RBAC of the webhook's namespace says what it may change there. */
const PUBLISHED = publishedFrom(NAMESPACE).filter(({ namespace }) => namespace === undefined)

test('the policies concern every change of the kinds outside of its namespace to which the webhook publishes its CA', () => {
  const guarded = OF_WEBHOOK.map(({ spec }) => {
    const [{ apiGroups, resources, operations }] = spec.matchConstraints.resourceRules
    assert.deepEqual(operations, ['UPDATE'])
    return `/apis/${apiGroups[0]}/v1/${resources[0]}`
  })
  const published = PUBLISHED.map(({ apiVersion, kind }) => pathOf({ apiVersion, kind }))
  assert.deepEqual(guarded.toSorted(), [...new Set(published)].toSorted())
})

for (const [folder, policies] of [
  ['base', OF_WEBHOOK] as const,
  ['gateway', OF_GATEWAY] as const,
]) {
  test(`the policies concern the service account of ${folder} in any namespace, and nobody else`, () => {
    const pod = workloadIn(folder).deployment.spec.template
    const { serviceAccountName } = v.parse(v.object({ serviceAccountName: v.string() }), pod.spec)
    assert.ok(policies.length > 0)
    for (const { spec } of policies) {
      const [, pattern = ''] =
        /^request\.userInfo\.username\.matches\('(.*)'\)$/.exec(
          spec.matchConditions[0].expression,
        ) ?? []
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
}

test('the gateway may write and delete the APIServices that it publishes, and no others', () => {
  for (const { spec } of OF_GATEWAY) {
    const [rule] = spec.matchConstraints.resourceRules
    assert.deepEqual(
      [rule.resources, rule.operations],
      [['apiservices'], ['CREATE', 'UPDATE', 'DELETE']],
    )
    const [names = ''] = spec.validations.map(({ expression }) => expression)
    const named = [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name)
    const published = PUBLISHED.filter(({ kind }) => kind === 'APIService').map(({ name }) => name)
    assert.deepEqual(named.sort(), published.toSorted())
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
