import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyTo } from '../../../webhook/injection/json-patch.ts'
import { repairFor } from '../../../webhook/injection/repair.ts'
import { type Pod, toPod } from '../../../webhook/objects/pod.ts'

const SIDECAR = {
  name: 'flux-metrics',
  image: 'sidecar',
  env: [{ name: 'LISTEN_PORT', value: '8443' }],
}
const VIEW = { name: 'flux-view' }
const BROKER = { name: 'flux-sample' }

function pod(
  initContainers: readonly object[],
  annotations: Readonly<Record<string, string>> = { 'flux-metrics/injected': '1.2.3' },
): Pod {
  const read = toPod({ metadata: { annotations }, spec: { initContainers, containers: [BROKER] } })
  assert.ok(read)
  return read
}

test('repairFor makes a native sidecar without restartPolicy an ordinary container', () => {
  const broken = pod([VIEW, SIDECAR, { name: 'other' }])
  const env = [...SIDECAR.env, { name: 'EXIT_WITH_BROKER', value: 'true' }]
  const repaired = applyTo(broken, repairFor(broken)?.patch ?? [])
  assert.deepEqual(toPod(repaired)?.spec, {
    initContainers: [VIEW, { name: 'other' }],
    containers: [BROKER, { ...SIDECAR, env }],
  })
  assert.equal(repairFor(toPod(repaired) ?? broken), undefined)
})

test('repairFor sets the environment of a container that lost it', () => {
  const broken = pod([{ name: 'flux-metrics' }])
  const [, added] = repairFor(broken)?.patch ?? []
  const env = [{ name: 'EXIT_WITH_BROKER', value: 'true' }]
  const value = { name: 'flux-metrics', env }
  assert.deepEqual(added, { op: 'add', path: '/spec/containers/-', value })
})

for (const [what, sound] of [
  ['is as it was injected', pod([VIEW, { ...SIDECAR, restartPolicy: 'Always' }])],
  ['is an ordinary container', pod([VIEW])],
  ['is not ours', pod([VIEW, SIDECAR], {})],
] as const) {
  test(`repairFor leaves a sidecar alone that ${what}`, () => {
    assert.equal(repairFor(sound), undefined)
  })
}
