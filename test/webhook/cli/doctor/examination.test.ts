// A broken hop is told once; what hangs on it, and what could not be read, is said to be unchecked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examineInstallation } from '../../../../webhook/cli/doctor/examination.ts'
import { Api } from '../../../../webhook/cli/doctor/facts/api.ts'
import { readInstallation } from '../../../../webhook/cli/doctor/facts/facts.ts'
import { reportJson, reportLines } from '../../../../webhook/cli/doctor/report.ts'
import {
  answersOf,
  FORBIDDEN,
  healthyObjects,
  NAME,
  NOT_FOUND,
  reportOf,
  say,
  set,
  unavailable,
} from './cluster.ts'

const PLAIN = { columns: 80, hasColor: false, isVerbose: false }

test('what hangs on a broken hop is unchecked because of it, and what was seen to be fine is', async () => {
  const objects = healthyObjects()
  objects.gatewaySlices = { items: [] }
  objects.webhookSlices = { items: [] }
  objects.document = unavailable('service unavailable')
  objects.explain = unavailable('service unavailable')
  const { findings, unchecked, passed } = await reportOf(objects)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['api-without-pods', 'webhook-without-pods'],
  )
  const because = 'of api-without-pods'
  assert.deepEqual(unchecked, [
    { check: 'metrics-answer', because },
    { check: 'metrics', because },
    { check: 'flux', because },
    { check: 'hpa-conditions', because },
  ])
  // The pod has its sidecar, whatever becomes of the next pod.
  assert.ok(passed.some(({ check }) => check === 'injection'))
})

test('a cluster of which nothing may be read is never well', async () => {
  const objects = healthyObjects()
  for (const place of Object.keys(objects)) Object.assign(objects, { [place]: FORBIDDEN })
  const { findings, unchecked, passed } = await reportOf(objects)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['not-readable'],
  )
  assert.deepEqual(passed, [])
  assert.ok(unchecked.length > 25)
})

test('with the right to read the metric alone, it is known to be answered, and not what Flux says', async () => {
  const objects = healthyObjects()
  objects.explain = FORBIDDEN
  const { findings, unchecked, passed } = await reportOf(objects)
  assert.match(findings[0]?.message ?? '', /^you may not read miniclusters.*\/explain of default/)
  assert.deepEqual(
    unchecked.map(({ check }) => check),
    ['flux'],
  )
  assert.ok(passed.some(({ check }) => check === 'metrics'))
})

/** Each is told by a check that knows more, or follows from no finding here. */
const TOLD_ELSEWHERE = [
  {
    code: 'pods-missing',
    text: 'rank 1 is not there: its pod has not been created yet',
  },
  {
    code: 'pods-not-starting',
    text: 'ranks 2-3,7 do not start: their pods are on nodes: ErrImagePull',
  },
  { code: 'pods-others', text: '500 ranks: for other reasons, see the JSON' },
  {
    code: 'hpa-tolerance',
    text: 'an HPA with the default tolerance of 10 % stays at 10: set tolerance 0 in its behavior',
  },
] as const

for (const notice of TOLD_ELSEWHERE) {
  test(`${notice.code} of an explanation is left to the check of its own`, async () => {
    const objects = healthyObjects()
    say(objects, 'warning', notice)
    assert.deepEqual((await reportOf(objects)).findings, [])
  })

  test(`without its code ${notice.code} is told, and that it may be told twice`, async () => {
    const objects = healthyObjects()
    say(objects, 'warning', { text: notice.text })
    const { findings } = await reportOf(objects)
    assert.deepEqual(
      findings.map(({ code, reason }) => [code, reason]),
      [
        ['flux-warning', undefined],
        ['older-release', undefined],
      ],
    )
  })
}

test('by its code alone a warning is known, in whatever words', async () => {
  const objects = healthyObjects()
  say(objects, 'warning', { code: 'hpa-tolerance', text: 'in the words of a later release' })
  assert.deepEqual((await reportOf(objects)).findings, [])
})

test('what the sidecar says of HPAs is told where they cannot be read', async () => {
  const objects = healthyObjects()
  objects.hpas = FORBIDDEN
  say(objects, 'warning', { code: 'hpa-tolerance', text: 'an HPA stays at 10' })
  const { findings } = await reportOf(objects)
  assert.deepEqual(
    findings.map(({ code, reason }) => [code, reason]),
    [
      ['flux-warning', 'hpa-tolerance'],
      ['not-readable', undefined],
    ],
  )
})

test('a report as text, and as JSON', async () => {
  const objects = healthyObjects()
  objects.webhook = NOT_FOUND
  set(objects, 'hpas', ['items', 0, 'spec', 'maxReplicas'], 3)
  const report = await reportOf(objects)
  assert.equal(
    reportLines('MiniCluster default/flux-sample', report, PLAIN).join('\n'),
    `MiniCluster default/flux-sample

error    webhook-absent: MutatingWebhookConfiguration flux-metrics-webhook
         it is not there, or is not about pods: new pods get no sidecar
fix      install it: apply the manifests with your images
         (docs/install/KUSTOMIZE.md)

info     hpa-below-maximum: HPA default/flux-sample
         maxReplicas 3 is below spec.maxSize 4 of the MiniCluster: jobs for more
         nodes wait for ever
fix      set maxReplicas to 4, if that is not on purpose

Not checked:
         webhook-service, webhook-pods, webhook-ca, webhook-policy and
         webhook-selectors, because of webhook-absent

1 error and 1 note; 23 checks fine, 5 checks not made.`,
  )
  const { minicluster, findings, unchecked, passed } = JSON.parse(reportJson(NAME, report))
  assert.deepEqual(minicluster, NAME)
  assert.deepEqual(Object.keys(findings[0]), ['code', 'level', 'subject', 'message', 'fix'])
  assert.deepEqual([unchecked.length, passed.length], [5, 23])
})

test('--verbose shows what is fine, and colours are in the subjects alone', async () => {
  const report = await reportOf(healthyObjects())
  const lines = reportLines('All', report, { ...PLAIN, isVerbose: true })
  assert.ok(lines.includes('Checked and fine:'))
  assert.ok(lines.includes('         sidecar: the sidecar runs'))
  assert.equal(lines.at(-1), 'nothing found; 30 checks fine.')
  const objects = healthyObjects()
  objects.webhook = NOT_FOUND
  const coloured = reportLines('All', await reportOf(objects), { ...PLAIN, hasColor: true })
  assert.equal(coloured.filter((line) => line.includes('\u001b')).length, 1)
})

test('where the project is in another namespace, the log of the gateway is looked for there', async () => {
  const objects = healthyObjects()
  objects.v1beta1 = NOT_FOUND
  objects.v1beta2 = NOT_FOUND
  set(objects, 'webhook', ['webhooks', 0, 'clientConfig', 'service', 'namespace'], 'metrics')
  const answers = answersOf(objects)
  const api = new Api((path) => answers(path.replace('/metrics/', '/flux-metrics/')))
  const { findings } = examineInstallation(await readInstallation(api))
  const absent = findings.find(({ code }) => code === 'api-service-absent')
  assert.match(absent?.fix ?? '', /kubectl logs -n metrics deployment\/flux-metrics-gateway$/)
})
