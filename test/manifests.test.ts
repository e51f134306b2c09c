// manifests/ as a whole: every file is used, every object exists once, and the properties that all have in common. Their
// contents are tested in manifests/*.test.ts, RBAC rules in webhook/rbac.test.ts. That kustomize builds them and an API
// server accepts them is tested in e2e/.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../package.json' with { type: 'json' }
import { publishedFrom } from '../webhook/authority/published-object.ts'
import { CA_BUNDLE_LABEL } from '../webhook/contract.ts'
import type { ObjectReference } from '../webhook/kubernetes/cluster.ts'
import {
  FILES,
  KUSTOMIZATIONS,
  kustomization,
  OBJECTS,
  objectsBelow,
  readText,
  resolve,
} from './support/manifests.ts'

const TEXTS = FILES.map((file) => ({ file, text: readText(file) }))
const ALL = [...OBJECTS.values()].flat()

test('a kustomization names every file, and every file that it names exists', () => {
  const folders = new Set(KUSTOMIZATIONS.map(({ folder }) => folder))
  const named = KUSTOMIZATIONS.flatMap((one) => [
    resolve(one, 'kustomization.yaml'),
    ...one.resources.map((path) => resolve(one, path)).filter((path) => !folders.has(path)),
    ...one.patches.flatMap(({ path }) => (path === undefined ? [] : [resolve(one, path)])),
    ...one.configurations.map((path) => resolve(one, path)),
    ...one.configMapGenerator.flatMap(({ files }) => files.map((path) => resolve(one, path))),
  ])
  // A comment names the examples that cannot be applied together with the others.
  const comment = readText('examples/kustomization.yaml').match(/^#.*/gm)?.join() ?? ''
  const alternatives = comment.match(/[\w-]+\.yaml/g) ?? []
  named.push(...alternatives.map((name) => `examples/${name}`))
  assert.deepEqual(named.sort(), [...FILES])
})

test('only the folders of components/ are of kind Component', () => {
  for (const { folder, kind } of KUSTOMIZATIONS) {
    assert.equal(kind, folder.startsWith('components/') ? 'Component' : 'Kustomization', folder)
  }
})

test('every object exists once', () => {
  const names = ALL.map(({ kind, metadata: { name, namespace } }) => `${kind} ${namespace} ${name}`)
  assert.deepEqual(names, [...new Set(names)])
})

/** Labels of the whole project. */
const PROJECT_LABELS = {
  'app.kubernetes.io/version': packageJson.version,
  'app.kubernetes.io/part-of': 'flux-metrics',
}

for (const folder of ['overlays/direct', 'overlays/external']) {
  test(`${folder} is labelled as a part of the project, and its objects say which`, () => {
    // These pairs are set on the objects of base as well, so they must not say more.
    const pairs = kustomization(folder).labels.map((labels) => labels.pairs)
    assert.deepEqual(pairs, [PROJECT_LABELS])
    for (const { kind, metadata } of objectsBelow(folder)) {
      const { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': component } =
        metadata.labels ?? {}
      assert.deepEqual([name, component], ['flux-metrics-sidecar', 'metrics-api'], kind)
    }
  })
}

const ADDITIONS = KUSTOMIZATIONS.filter(
  ({ folder, resources }) => folder.startsWith('components/') && resources.length > 0,
).map(({ folder }) => folder)

for (const folder of ADDITIONS) {
  test(`the objects of ${folder} are labelled as parts of the program that they are for`, () => {
    for (const { kind, metadata } of objectsBelow(folder)) {
      const program = metadata.name?.startsWith('flux-metrics-gateway') ? 'gateway' : 'base'
      // Grafana finds its dashboards by a label of its own.
      const { grafana_dashboard: _, ...labels } = metadata.labels ?? {}
      assert.deepEqual(labels, kustomization(program).labels[0]?.pairs, kind)
    }
  })
}

for (const [folder, program] of Object.entries({ base: 'webhook', gateway: 'gateway' })) {
  test(`${folder} labels its objects and pods with the recommended labels`, () => {
    const pairs = {
      'app.kubernetes.io/name': `flux-metrics-${program}`,
      'app.kubernetes.io/component': program,
      ...PROJECT_LABELS,
    }
    assert.deepEqual(kustomization(folder).labels, [{ pairs, includeTemplates: true }])
  })
}

test('the default is webhook and gateway, and no APIService: the gateway publishes them', () => {
  assert.deepEqual(kustomization('.').resources, ['base', 'gateway'])
  const kinds = [...objectsBelow('base'), ...objectsBelow('gateway')].map(({ kind }) => kind)
  assert.ok(!kinds.includes('APIService'))
})

test('no manifest skips the verification of TLS, or contains a certificate', () => {
  for (const { file, text } of TEXTS) {
    assert.doesNotMatch(text, /insecureSkipTLSVerify:|caBundle:|BEGIN |LS0tLS1/, file)
  }
})

test('the images have the version of package.json', () => {
  const { version } = packageJson
  const images = TEXTS.flatMap(
    ({ text }) => text.match(/flux-metrics-(webhook|sidecar):\S+/g) ?? [],
  )
  // The last is the gateway's, which is in the image of the webhook.
  const programs = ['webhook', 'sidecar', 'webhook']
  const expected = programs.map((program) => `flux-metrics-${program}:${version}`)
  assert.deepEqual(images, expected)
  for (const program of ['webhook', 'sidecar']) {
    const dockerfile = readFileSync(join(import.meta.dirname, `../Dockerfile.${program}`), 'utf8')
    assert.match(dockerfile, new RegExp(`^ARG VERSION=${version}$`, 'm'))
  }
})

test('the objects to which the authority publishes its CA have the label for it, and no others', () => {
  const labelled = ALL.filter(({ metadata }) => metadata.labels?.[CA_BUNDLE_LABEL] === 'true')
  const textOf = ({ apiVersion, kind, name }: ObjectReference) => `${apiVersion} ${kind} ${name}`
  const found = labelled.map(({ apiVersion, kind, metadata: { name = '' } }) =>
    textOf({ apiVersion, kind, name }),
  )
  assert.deepEqual(found.sort(), publishedFrom('flux-metrics').map(textOf).sort())
})
