import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECKS, INSTALLATION_CHECKS } from '../../../../webhook/cli/doctor/checks.ts'
import { healthyObjects, installationReportOf, NOT_FOUND, reportOf } from './cluster.ts'

test('doctor finds nothing where nothing is wrong, and has made every check', async () => {
  const { findings, unchecked, passed } = await reportOf(healthyObjects())
  assert.deepEqual({ findings, unchecked }, { findings: [], unchecked: [] })
  assert.deepEqual(
    passed.map(({ check }) => check),
    CHECKS.map(({ name }) => name),
  )
})

test('doctor without a MiniCluster checks what is installed', async () => {
  const { findings, unchecked, passed } = await installationReportOf(healthyObjects())
  assert.deepEqual({ findings, unchecked }, { findings: [], unchecked: [] })
  assert.equal(passed.length, INSTALLATION_CHECKS.length)
})

test('doctor asks for the metrics in the version that HPAs use', async () => {
  const objects = healthyObjects()
  objects.v1beta2 = NOT_FOUND
  objects.document = NOT_FOUND
  objects.olderExplain = objects.explain
  objects.explain = NOT_FOUND
  const { findings, unchecked } = await reportOf(objects)
  assert.deepEqual({ findings, unchecked }, { findings: [], unchecked: [] })
})

test('what a check needs stands before it', () => {
  for (const [index, { name, needs, scope }] of CHECKS.entries()) {
    const before = CHECKS.slice(0, index).map((check) => check.name)
    assert.deepEqual(
      needs.filter((need) => !before.includes(need)),
      [],
      name,
    )
    if (scope !== 'installation') continue
    const installed = INSTALLATION_CHECKS.map((check) => check.name)
    assert.ok(needs.every((need) => installed.includes(need)))
  }
})
