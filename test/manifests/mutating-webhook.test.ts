// base/mutating-webhook.yaml: the reviews that the API server sends, and its behaviour without an answer.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { evaluate } from '@marcbachmann/cel-js'
import * as v from 'valibot'
import { REVIEW_PATH } from '../../webhook/app.ts'
import { SelfAuthority } from '../../webhook/authority/authority.ts'
import { MINICLUSTER_GROUP_KIND } from '../../webhook/objects/minicluster.ts'
import { Labels, SERVICE, Selector } from '../support/deployment.ts'
import { kustomization, theOnly } from '../support/manifests.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'
import { memoryLog } from '../support/memory-log.ts'

const Webhook = v.strictObject({
  name: v.string(),
  admissionReviewVersions: v.array(v.string()),
  clientConfig: v.strictObject({
    service: v.strictObject({
      name: v.string(),
      namespace: v.string(),
      path: v.string(),
      port: v.number(),
    }),
  }),
  rules: v.unknown(),
  objectSelector: v.optional(Selector),
  namespaceSelector: v.unknown(),
  matchConditions: v.optional(
    v.array(v.strictObject({ name: v.string(), expression: v.string() })),
  ),
  failurePolicy: v.string(),
  matchPolicy: v.string(),
  reinvocationPolicy: v.string(),
  sideEffects: v.string(),
  timeoutSeconds: v.number(),
})

const { webhooks: WEBHOOKS } = v.parse(
  v.object({ webhooks: v.strictTuple([Webhook, Webhook]) }),
  theOnly('MutatingWebhookConfiguration', 'base'),
)

/** Names in the certificate that the webhook's authority issues to the webhook itself. */
async function certifiedNames(service: string, namespace: string): Promise<string> {
  const { log } = memoryLog('silent')
  const cluster = new MemoryCluster()
  const authority = new SelfAuthority({ cluster, namespace, service, log })
  await authority.tick()
  return new X509Certificate(authority.servingKeys?.cert ?? '').subjectAltName ?? ''
}

for (const webhook of WEBHOOKS) {
  test(`${webhook.name} is a route of the webhook, behind its Service`, () => {
    const { name, namespace, path, port } = webhook.clientConfig.service
    assert.deepEqual({ name, namespace }, SERVICE.metadata)
    assert.deepEqual([path, port], [REVIEW_PATH, SERVICE.spec.ports[0]?.port])
  })

  test(`${webhook.name} is called by a name that the webhook's certificate has`, async () => {
    const { name, namespace } = webhook.clientConfig.service
    const names = await certifiedNames(name, namespace)
    // API servers verify this name.
    assert.ok(names.split(', ').includes(`DNS:${name}.${namespace}.svc`), names)
  })

  test(`${webhook.name} never stops an admission`, () => {
    const { failurePolicy, timeoutSeconds, sideEffects, matchPolicy } = webhook
    assert.deepEqual([failurePolicy, timeoutSeconds], ['Ignore', 3])
    assert.deepEqual([sideEffects, matchPolicy], ['NoneOnDryRun', 'Equivalent'])
    assert.deepEqual(webhook.admissionReviewVersions, ['v1'])
  })

  test(`${webhook.name} leaves out the namespaces of the webhook and of the system`, () => {
    const [own] = kustomization('base').labels
    const key = 'app.kubernetes.io/name'
    assert.deepEqual(webhook.namespaceSelector, {
      matchExpressions: [
        {
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: ['kube-system', 'kube-public', 'kube-node-lease'],
        },
        { key, operator: 'NotIn', values: [own?.pairs[key]] },
      ],
    })
  })
}

const [PODS, MINICLUSTERS] = WEBHOOKS

test('new pods are reviewed, and again if another webhook changed them later', () => {
  assert.deepEqual(PODS.rules, [
    {
      apiGroups: [''],
      apiVersions: ['v1'],
      resources: ['pods'],
      operations: ['CREATE'],
      scope: 'Namespaced',
    },
  ])
  assert.equal(PODS.reinvocationPolicy, 'IfNeeded')
})

test('MiniClusters are reviewed, and again if another webhook changed them later', () => {
  const [kind = '', ...group] = MINICLUSTER_GROUP_KIND.split('.')
  assert.deepEqual(MINICLUSTERS.rules, [
    {
      apiGroups: [group.join('.')],
      apiVersions: ['*'],
      resources: [`${kind.toLowerCase()}s`],
      operations: ['CREATE', 'UPDATE'],
      scope: 'Namespaced',
    },
  ])
  assert.equal(MINICLUSTERS.objectSelector, undefined)
  assert.equal(MINICLUSTERS.reinvocationPolicy, 'IfNeeded')
})

const OURS = { annotations: { 'flux-metrics/protect': 'false' } }
const OTHERS = { annotations: { 'example.com/flux-metrics/enabled': 'true' } }

for (const [object, oldObject, isReviewed] of [
  [{ metadata: OURS }, null, true],
  [{ metadata: {}, spec: { pod: OURS } }, null, true],
  [{ metadata: OURS, spec: { pod: null } }, null, true],
  [{ metadata: {}, spec: { pod: {} } }, { metadata: OURS }, true],
  [{ metadata: OTHERS, spec: {} }, { metadata: {}, spec: { pod: OURS } }, true],
  [{ metadata: OTHERS, spec: { pod: OTHERS } }, null, false],
  [{ metadata: {} }, null, false],
  [{ metadata: {}, spec: { pod: {} } }, { metadata: OTHERS, spec: { pod: OTHERS } }, false],
] as const) {
  const of = oldObject === null ? '' : ` of ${JSON.stringify(oldObject)}`
  test(`the API server ${isReviewed ? 'asks' : 'does not ask'} about ${JSON.stringify(object)}${of}`, () => {
    const [condition] = MINICLUSTERS.matchConditions ?? []
    assert.equal(evaluate(condition?.expression ?? '', { object, oldObject }), isReviewed)
  })
}

const ReviewSchema = v.object({
  request: v.object({
    object: v.object({ metadata: v.object({ labels: v.optional(Labels, {}) }) }),
  }),
})

/** The labels of a recorded pod. */
function labelsIn(golden: string): Readonly<Record<string, string>> {
  const path = join(import.meta.dirname, '../golden', golden, 'review.json')
  const { request } = v.parse(ReviewSchema, JSON.parse(readFileSync(path, 'utf8')))
  return request.object.metadata.labels
}

const RECORDED = [
  ['create-job-index-0', true],
  ['create-job-index-0-enabled', true],
  ['v1.32-create-job-index-0', true],
  ['create-job-index-1', false],
  ['create-job-index-2', false],
  ['v1.32-create-job-index-1', false],
  ['services-pod', false],
  ['create-byhand', false],
] as const

for (const [golden, isReviewed] of RECORDED) {
  test(`a pod as in golden ${golden} is ${isReviewed ? 'reviewed' : 'not reviewed'}`, () => {
    const labels = labelsIn(golden)
    const wanted = Object.entries(PODS.objectSelector?.matchLabels ?? {})
    const matches = wanted.every(([key, value]) => labels[key] === value)
    assert.equal(matches, isReviewed)
  })
}
