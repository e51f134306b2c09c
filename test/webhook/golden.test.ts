// Whole reviews and their answers, each in a folder of test/golden. Most reviews are as an API server sent them, or with one
// change. After a change of the injection, this command records all answers again; read the diff:
//
//   node --test --test-update-snapshots test/webhook/golden.test.ts
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { apply_patch } from 'jsonpatch'
import * as v from 'valibot'
import { ClusterError, type NewObject } from '../../webhook/kubernetes/cluster.ts'
import { createReviewer, SIDECAR } from './support-admission.ts'

const GOLDEN = join(import.meta.dirname, '../golden')

/** settings.json: the differences from a current API server and a webhook with its own authority. */
const SettingsSchema = v.strictObject({
  serverVersion: v.optional(v.pipe(v.string(), v.regex(/^1\.\d+$/)), '1.36'),
  /** False: `CERTIFICATES=files`. */
  hasAuthority: v.optional(v.boolean(), true),
  knowsFrontProxy: v.optional(v.boolean(), true),
  /** The common names that the front proxy may have. */
  allowedNames: v.optional(v.array(v.string())),
  imagePullPolicy: v.optional(v.string()),
  apiServer: v.optional(v.picklist(['there', 'away']), 'there'),
})

const ReviewSchema = v.looseObject({
  request: v.looseObject({ uid: v.string(), object: v.nullish(v.record(v.string(), v.unknown())) }),
})

/** The files of a case. objects.json has the objects of the API server. */
function readCase(name: string) {
  const folder = join(GOLDEN, name)
  const optional = (file: string, fallback: unknown): unknown =>
    existsSync(join(folder, file)) ? JSON.parse(readFileSync(join(folder, file), 'utf8')) : fallback
  const bytes = readFileSync(join(folder, 'review.json'))
  return {
    bytes,
    request: v.parse(ReviewSchema, JSON.parse(bytes.toString('utf8'))).request,
    objects: v.parse(v.array(v.custom<NewObject>(isObject)), optional('objects.json', [])),
    settings: v.parse(SettingsSchema, optional('settings.json', {})),
  }
}

function isObject(value: unknown): boolean {
  return v.is(v.looseObject({ kind: v.string(), metadata: v.looseObject({}) }), value)
}

/** A webhook with the settings and objects of a case. */
function createWebhook({ objects, settings }: ReturnType<typeof readCase>) {
  const { serverVersion, hasAuthority, knowsFrontProxy, apiServer } = settings
  const { allowedNames = SIDECAR.frontProxy?.allowedNames ?? [] } = settings
  const clientCa = SIDECAR.frontProxy?.clientCa ?? ''
  const webhook = createReviewer({
    objects,
    version: { major: 1, minor: Number(serverVersion.slice('1.'.length)) },
    sidecar: {
      imagePullPolicy: settings.imagePullPolicy,
      identity: hasAuthority ? SIDECAR.identity : undefined,
      frontProxy: knowsFrontProxy ? { clientCa, allowedNames } : undefined,
    },
  })
  if (apiServer === 'away') {
    webhook.cluster.failWith(new ClusterError(0, 'Cannot reach the API server: refused'))
  }
  return webhook
}

/** The decision, from the log line. */
function reasonIn([line]: readonly Record<string, unknown>[]): string {
  return line?.decision === 'inject' ? 'inject' : String(line?.reason)
}

function compare(t: TestContext, value: unknown, path: string): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  t.assert.fileSnapshot(`${text}\n`, path, { serializers: [(whole) => whole] })
}

function isInject(name: string): boolean {
  const path = join(GOLDEN, name, 'reason.txt')
  return existsSync(path) && readFileSync(path, 'utf8').startsWith('inject\n')
}

const cases = readdirSync(GOLDEN)

test('there are at least 60 golden cases, and at least 30 of them inject', () => {
  assert.ok(cases.length >= 60)
  assert.ok(cases.filter(isInject).length >= 30)
})

for (const name of cases) {
  test(`golden ${name} is answered as recorded`, async (t) => {
    const recorded = readCase(name)
    const { review, lines } = createWebhook(recorded)
    const { uid, patch, warnings } = await review(recorded.bytes)
    assert.equal(uid, recorded.request.uid)
    compare(t, patch, join(GOLDEN, name, 'patch.json'))
    compare(t, [reasonIn(lines), ...warnings].join('\n'), join(GOLDEN, name, 'reason.txt'))
  })
}

for (const name of cases.filter(isInject)) {
  test(`golden ${name} is patched only once`, async () => {
    const recorded = readCase(name)
    const { review, lines } = createWebhook(recorded)
    const { patch } = await review(recorded.bytes)
    const { uid, object } = recorded.request
    const request = { ...recorded.request, object: apply_patch<unknown>(object, [...patch]) }
    const again = await review({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request,
    })
    assert.deepEqual([again.uid, again.patch], [uid, []])
    assert.equal(reasonIn(lines.slice(1)), 'AlreadyInjected')
  })
}
