// The command line decides and patches like the webhook: it is compared with the golden answers of the webhook.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apply_patch } from 'jsonpatch'
import * as v from 'valibot'
import { ObjectStore } from '../../../../webhook/cli/inject/object-store.ts'
import { reviewPod } from '../../../../webhook/cli/inject/verdict.ts'
import { Metadata, toPod } from '../../../../webhook/objects/pod.ts'
import { SIDECAR } from '../../support-admission.ts'
import { objectsOf, recordedText } from '../sources.ts'

const GOLDEN = join(import.meta.dirname, '../../../golden')

const SettingsSchema = v.looseObject({
  serverVersion: v.optional(v.string(), '1.36'),
  hasAuthority: v.optional(v.boolean(), true),
  knowsFrontProxy: v.optional(v.boolean(), true),
  allowedNames: v.optional(v.array(v.string())),
  imagePullPolicy: v.optional(v.string()),
  apiServer: v.optional(v.string(), 'there'),
})

const ReviewSchema = v.looseObject({
  request: v.looseObject({
    operation: v.string(),
    namespace: v.optional(v.string()),
    object: v.nullish(v.looseObject({ metadata: v.looseObject({}) })),
  }),
})

function read(name: string, file: string, fallback: string): string {
  const path = join(GOLDEN, name, file)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : fallback
}

function readCase(name: string) {
  const { request } = v.parse(ReviewSchema, JSON.parse(read(name, 'review.json', '{}')))
  const settings = v.parse(SettingsSchema, JSON.parse(read(name, 'settings.json', '{}')))
  const object = request.object
  const pod = toPod(
    object && { ...object, metadata: { namespace: request.namespace, ...object.metadata } },
  )
  const isOurs = request.operation === 'CREATE' && settings.apiServer === 'there'
  return { settings, pod: isOurs ? pod : undefined, reason: read(name, 'reason.txt', '') }
}

const ObjectSchema = v.looseObject({ kind: v.string(), metadata: Metadata })

function storeOf(name: string): ObjectStore {
  const objects = v.parse(v.array(ObjectSchema), JSON.parse(read(name, 'objects.json', '[]')))
  return new ObjectStore(objects.map((value) => ({ kind: value.kind, value, document: { value } })))
}

async function judgeCase(name: string) {
  const { settings, pod } = readCase(name)
  const { allowedNames = SIDECAR.frontProxy?.allowedNames ?? [] } = settings
  const clientCa = SIDECAR.frontProxy?.clientCa ?? ''
  assert.ok(pod)
  return reviewPod(pod, {
    store: storeOf(name),
    serverVersion: { major: 1, minor: Number(settings.serverVersion.split('.')[1]) },
    sidecar: {
      ...SIDECAR,
      imagePullPolicy: settings.imagePullPolicy,
      identity: settings.hasAuthority ? SIDECAR.identity : undefined,
      frontProxy: settings.knowsFrontProxy ? { clientCa, allowedNames } : undefined,
    },
  })
}

const names = readdirSync(GOLDEN).filter((name) => readCase(name).pod !== undefined)

test('there are golden answers to compare with', () => {
  assert.ok(names.length > 20)
})

for (const name of names) {
  test(`reviewPod answers "${name}" like the webhook`, async () => {
    const [reason, ...warnings] = readCase(name).reason.split('\n')
    const verdict = await judgeCase(name)
    if (verdict.kind === 'unknown') {
      // The webhook knows that the object does not exist; the input may be incomplete.
      assert.equal(reason, 'NotAMiniCluster')
      return
    }
    assert.equal(verdict.kind === 'admitted' ? 'inject' : verdict.reason, reason)
    // The webhook reports the reason in a warning, the command line in `why`.
    assert.deepEqual(
      verdict.warnings,
      warnings.filter((warning) => warning !== verdict.why),
    )
    if (verdict.kind !== 'admitted') return
    const patch = JSON.parse(read(name, 'patch.json', '[]'))
    assert.deepEqual(verdict.after, apply_patch(Object(verdict.before), patch))
  })
}

const MINICLUSTER = recordedText('operator/minicluster-after-resize.json')
const JOB = recordedText('operator/job.json')
const JOB_UID = '64df1430-d79d-483f-9ef1-f2092f929ec6'

for (const [what, texts, why] of [
  [
    'the Job is missing',
    [MINICLUSTER],
    'the Job "flux-sample" that controls the pod is not in the input; kubectl get job flux-sample -n default -o yaml prints it',
  ],
  [
    'the Job has another UID',
    [MINICLUSTER, JOB.replaceAll(JOB_UID, 'uid-2')],
    `the Job "flux-sample" that controls the pod has UID ${JOB_UID}, but the one in the input has another; kubectl get job flux-sample -n default -o yaml prints it`,
  ],
  [
    'the MiniCluster is missing',
    [JOB],
    'the MiniCluster "flux-sample" that controls its Job is not in the input; kubectl get minicluster flux-sample -n default -o yaml prints it',
  ],
] as const) {
  test(`reviewPod says what is missing if ${what}`, async () => {
    const objects = objectsOf(recordedText('operator/pods-running.json'), ...texts)
    const [pod] = objects.filter((object) => object.kind === 'Pod')
    const store = new ObjectStore(objects.filter((object) => object.kind !== 'Pod'))
    const context = { store, serverVersion: { major: 1, minor: 36 }, sidecar: SIDECAR }
    assert.ok(pod)
    assert.deepEqual(await reviewPod(pod.value, context), { kind: 'unknown', why })
  })
}
