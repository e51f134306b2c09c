// The overlay fits the manifests that it is made for, and the gateway that reads its variables.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import { Environment } from '#serving/env.ts'
import { adoptionOf } from '../../../../webhook/cli/adopt/adoption.ts'
import { type Group, readApiServices } from '../../../../webhook/cli/adopt/api-services.ts'
import { overlayFiles } from '../../../../webhook/cli/adopt/overlay.ts'
import { readDocuments } from '../../../../webhook/cli/input/files/documents.ts'
import { readUpstream } from '../../../../webhook/gateway/upstream/upstream-target.ts'
import { kustomization, parseYaml, theOnly } from '../../../support/manifests.ts'
import { apiService, CUSTOM_1, EXTERNAL, listOf } from './api-service-documents.ts'

const Kustomization = v.looseObject({
  resources: v.array(v.string()),
  components: v.array(v.string()),
  images: v.array(v.looseObject({ name: v.string() })),
})

const Deployment = v.looseObject({
  kind: v.string(),
  metadata: v.looseObject({ name: v.string(), namespace: v.string() }),
  spec: v.looseObject({
    template: v.looseObject({
      spec: v.looseObject({
        containers: v.array(
          v.looseObject({
            name: v.string(),
            env: v.array(v.looseObject({ name: v.string(), value: v.optional(v.string()) })),
            volumeMounts: v.optional(v.array(v.looseObject({ mountPath: v.string() })), []),
          }),
        ),
      }),
    }),
  }),
})

/** The files for two adapters of which neither is verified. */
function filesFor(base: string) {
  const both = listOf(
    apiService(CUSTOM_1, { insecure: true }),
    apiService(EXTERNAL, { service: 'keda/keda', port: 6443, insecure: true }),
  )
  const apiServices = readApiServices(readDocuments(both, 'both').found).found
  const groups: readonly Group[] = ['custom', 'external']
  const adoptions = groups.map((group) => adoptionOf(group, apiServices))
  const files = overlayFiles(
    adoptions.filter((adoption) => typeof adoption === 'object'),
    { base, external: true },
  )
  const read = (name: string) => parseYaml(files.get(name) ?? '')[0]
  return {
    kustomization: v.parse(Kustomization, read('kustomization.yaml')),
    patch: v.parse(Deployment, read('gateway.yaml')),
  }
}

test('the overlay is of the default manifests and of components that exist', () => {
  const { resources, components } = filesFor('../manifests').kustomization
  const folderOf = (path: string) => join('overlay', path).replace(/^manifests\/?/, '') || '.'
  assert.deepEqual(
    resources.map((path) => kustomization(folderOf(path)).kind),
    ['Kustomization'],
  )
  assert.deepEqual(
    components.map((path) => kustomization(folderOf(path)).kind),
    ['Component', 'Component'],
  )
})

test('the images are those of the manifests', () => {
  const { images } = filesFor('../manifests').kustomization
  const shown = images.map(({ name }) => name)
  const spec = JSON.stringify(theOnly('Deployment', 'base').spec)
  const named = [...spec.matchAll(/"(flux-metrics-[a-z]+):[\d.]+"/g)].map(([, name]) => name)
  assert.deepEqual(new Set(shown), new Set(named))
})

test('the patch is of the container of the gateway', () => {
  const { patch } = filesFor('../manifests')
  const { kind, metadata, spec } = v.parse(Deployment, theOnly('Deployment', 'gateway'))
  assert.equal(patch.kind, kind)
  assert.deepEqual(patch.metadata, { name: metadata.name, namespace: metadata.namespace })
  const names = (containers: readonly { readonly name: string }[]) =>
    containers.map(({ name }) => name)
  assert.deepEqual(names(patch.spec.template.spec.containers), names(spec.template.spec.containers))
})

test('the gateway reads the variables of the patch', () => {
  const [container] = filesFor('../manifests').patch.spec.template.spec.containers
  const variables = Object.fromEntries(
    (container?.env ?? []).map(({ name, value }) => [name, value]),
  )
  const env = new Environment(variables)
  const unverified = { caFile: undefined }
  assert.deepEqual(readUpstream(env, 'UPSTREAM_CUSTOM_METRICS'), {
    namespace: 'monitoring',
    service: 'prometheus-adapter',
    port: 443,
    ...unverified,
  })
  assert.deepEqual(readUpstream(env, 'UPSTREAM_EXTERNAL_METRICS'), {
    namespace: 'keda',
    service: 'keda',
    port: 6443,
    ...unverified,
  })
  assert.deepEqual(env.problems, [])
})
