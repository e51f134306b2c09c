// overlays/: the way from the API server to the sidecar, and the names on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { EXTERNAL_GROUP, EXTERNAL_VERSION, GROUP, VERSIONS } from '#api/api-group.ts'
import {
  METRICS_SERVICE,
  MINICLUSTER_LABEL,
  SERVICE_LABEL,
  SIDECAR_PORT,
} from '../../webhook/contract.ts'
import { namesOfSidecar } from '../../webhook/identities/entitlement.ts'
import { ServiceSchema } from '../support/deployment.ts'
import { kustomization, objectsBelow, theOnly } from '../support/manifests.ts'

const SERVICE = v.parse(ServiceSchema, theOnly('Service', 'overlays'))
const [PORT] = SERVICE.spec.ports

const ApiServiceSchema = v.object({
  metadata: v.object({ name: v.string() }),
  spec: v.strictObject({
    group: v.string(),
    version: v.string(),
    groupPriorityMinimum: v.number(),
    versionPriority: v.number(),
    service: v.strictObject({ name: v.string(), namespace: v.string(), port: v.number() }),
  }),
})

function apiServicesIn(folder: string) {
  return objectsBelow(folder)
    .filter(({ kind }) => kind === 'APIService')
    .map((object) => v.parse(ApiServiceSchema, object))
}

test('the Service selects the pod that the webhook labels for the MiniCluster, and targets the port of the sidecar', () => {
  assert.equal(SERVICE.metadata.name, METRICS_SERVICE)
  assert.deepEqual(SERVICE.spec.selector, {
    [SERVICE_LABEL.key]: SERVICE_LABEL.value,
    [MINICLUSTER_LABEL]: theOnly('MiniCluster', 'examples').metadata.name,
  })
  assert.deepEqual([PORT?.port, PORT?.targetPort], [443, SIDECAR_PORT])
})

test('the Service also leads to a pod whose broker is not ready', () => {
  assert.equal(SERVICE.spec.publishNotReadyAddresses, true)
})

for (const { metadata, spec } of apiServicesIn('overlays')) {
  test(`${metadata.name} has the name that Kubernetes requires, and leads to the Service`, () => {
    assert.equal(metadata.name, `${spec.version}.${spec.group}`)
    assert.deepEqual(spec.service, { ...SERVICE.metadata, port: PORT?.port })
  })

  test(`${metadata.name} leads to a name that the sidecar's certificate has`, () => {
    const { name, namespace } = spec.service
    const names = namesOfSidecar({ namespace, minicluster: 'any' })
    assert.ok(names.includes(`${name}.${namespace}.svc`))
  })
}

test('overlays/direct has the versions that the sidecar serves, the preferred one first', () => {
  const found = apiServicesIn('overlays/direct').map(({ spec }) => spec)
  const byPriority = found.toSorted((one, other) => other.versionPriority - one.versionPriority)
  assert.deepEqual(
    byPriority.map(({ group, version }) => [group, version]),
    VERSIONS.map((version) => [GROUP, version]),
  )
  assert.equal(new Set(found.map(({ versionPriority }) => versionPriority)).size, found.length)
  assert.equal(new Set(found.map(({ groupPriorityMinimum }) => groupPriorityMinimum)).size, 1)
})

test('overlays/external adds external metrics', () => {
  const [external, ...others] = apiServicesIn('overlays/external').map(({ spec }) => spec)
  assert.deepEqual([external?.group, external?.version], [EXTERNAL_GROUP, EXTERNAL_VERSION])
  assert.deepEqual(others, [])
  assert.ok(kustomization('overlays/external').resources.includes('../direct'))
})

test('one edit moves Service and APIServices to another namespace', () => {
  const { name } = SERVICE.metadata
  const source = { kind: 'Service', name, fieldPath: 'metadata.namespace' }
  const apiServices = {
    select: { kind: 'APIService' },
    fieldPaths: ['spec.service.namespace'],
  }
  const annotation = {
    select: { kind: 'Service', name },
    fieldPaths: ['metadata.annotations.flux-metrics/namespace'],
    options: { create: true },
  }
  assert.deepEqual(kustomization('overlays/direct').replacements, [
    { source, targets: [apiServices, annotation] },
  ])
  assert.deepEqual(kustomization('overlays/external').replacements, [
    { source, targets: [apiServices] },
  ])
})
