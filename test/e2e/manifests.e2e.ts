// Builds manifests/ with kustomize, and lets an API server validate every field. Nothing is stored.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { KubernetesObject } from '@kubernetes/client-node'
import * as v from 'valibot'
import { CA_BUNDLE_LABEL } from '../../webhook/contract.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import { absentAsUndefined } from '../support/api-answers.ts'
import { MANIFESTS, parseObjects, parseYaml } from '../support/manifests.ts'
import { type Cluster, connect, installCrd, remove, removeCrd } from './support/cluster.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { build } from './support/kustomize.ts'
import { OWN_LABEL } from './support/manifests.ts'
import { hasAdmissionPolicies } from './support/server-version.ts'

const APPLIED = ['', 'overlays/direct', 'overlays/external', 'examples']

let cluster: Cluster
let ownNamespace: KubernetesObject | undefined

before(async () => {
  cluster = connect()
  await installCrd(cluster)
  // A dry run of an object needs a namespace that exists.
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: WEBHOOK_NAMESPACE, labels: OWN_LABEL },
  }
  if ((await absentAsUndefined(cluster.objects.read(namespace))) !== undefined) return
  await cluster.objects.create(namespace)
  ownNamespace = namespace
})

after(async () => {
  if (ownNamespace !== undefined) await remove(cluster, ownNamespace)
  await removeCrd(cluster)
})

/** Applies without storing anything. */
async function dryRun(args: readonly string[], input?: string): Promise<void> {
  const apply = ['apply', '--server-side', '--dry-run=server', '--validate=strict']
  const { code, stderr } = await kubectl([...apply, ...args], input)
  // A warning means a deprecated API, or a pod that other clusters would refuse.
  assert.deepEqual([code, stderr.trim()], [0, ''])
}

for (const resource of APPLIED) {
  test(`manifests/${resource} builds twice to the same text`, async () => {
    const folder = join(MANIFESTS, resource)
    const [one, other] = [await run(['kustomize', folder]), await run(['kustomize', folder])]
    assert.ok(parseObjects(one).length >= 2)
    assert.equal(one, other)
  })

  test(`manifests/${resource} is accepted by the API server`, async () => {
    await dryRun(['-k', join(MANIFESTS, resource)])
  })
}

const ALTERNATIVES = ['hpa-node-up.yaml', 'metrics.yaml', 'network-policy.yaml']

for (const file of ALTERNATIVES.map((name) => `examples/${name}`)) {
  test(`${file}, which is not among them, is accepted`, async () => {
    await dryRun(['--namespace=default', '-f', join(MANIFESTS, file)])
  })
}

/** Objects by kind, namespace and name. */
function byName(text: string): ReadonlyMap<string, NewObject> {
  return new Map(
    parseObjects(text).map((object) => {
      const { name, namespace = '-' } = object.metadata
      return [`${object.kind} ${namespace} ${name}`, object]
    }),
  )
}

/** The kinds of objects that a component adds, removes and changes. */
async function effectOf(component: string, resource: string) {
  const was = byName(await build({ resource }))
  const is = byName(await build({ resource, component }))
  const kinds = (names: Iterable<string>) =>
    [...new Set([...names].map((name) => name.split(' ')[0]))].sort()
  const isChanged = (name: string) => JSON.stringify(was.get(name)) !== JSON.stringify(is.get(name))
  return {
    objects: is,
    added: kinds([...is.keys()].filter((name) => !was.has(name))),
    removed: kinds([...was.keys()].filter((name) => !is.has(name))),
    changed: kinds([...is.keys()].filter((name) => was.has(name) && isChanged(name))),
  }
}

const DeploymentSchema = v.object({
  spec: v.object({
    template: v.object({
      spec: v.object({
        containers: v.strictTuple([
          v.object({
            env: v.array(v.object({ name: v.string(), value: v.optional(v.string()) })),
            image: v.string(),
            volumeMounts: v.optional(v.array(v.unknown()), []),
          }),
        ]),
        volumes: v.optional(v.array(v.unknown()), []),
      }),
    }),
  }),
})

const WebhooksSchema = v.object({
  metadata: v.object({
    labels: v.record(v.string(), v.string()),
    annotations: v.record(v.string(), v.string()),
  }),
  webhooks: v.array(v.object({ name: v.string(), objectSelector: v.optional(v.unknown()) })),
})

type Objects = Awaited<ReturnType<typeof effectOf>>['objects']

function deployment(objects: Objects) {
  const name = `Deployment ${WEBHOOK_NAMESPACE} ${WEBHOOK}`
  return v.parse(DeploymentSchema, objects.get(name)).spec.template.spec
}

function webhooks(objects: Objects) {
  return v.parse(WebhooksSchema, objects.get(`MutatingWebhookConfiguration - ${WEBHOOK}`))
}

for (const resource of ['base', 'overlays/direct']) {
  const ofApiServices = resource === 'base' ? [] : ['APIService']

  test(`components/cert-manager on ${resource} replaces our authority`, async () => {
    const { objects, ...effect } = await effectOf('cert-manager', resource)
    assert.deepEqual(effect, {
      added: ['Certificate', 'Issuer'],
      removed: ['ClusterRole', 'ClusterRoleBinding', 'ConfigMap', 'Role', 'RoleBinding'],
      changed: [...ofApiServices, 'Deployment', 'MutatingWebhookConfiguration'],
    })
    const left = [...objects.keys()].filter((name) => name.endsWith('-authority'))
    assert.deepEqual(left, [])
  })

  test(`components/cert-manager on ${resource} leaves no object to which our authority publishes`, async () => {
    const { objects } = await effectOf('cert-manager', resource)
    const labels = [...objects.values()].map(({ metadata }) => metadata.labels?.[CA_BUNDLE_LABEL])
    assert.deepEqual(new Set(labels), new Set([undefined, 'false']))
    const { annotations } = webhooks(objects).metadata
    assert.deepEqual(annotations, {
      'cert-manager.io/inject-ca-from': `${WEBHOOK_NAMESPACE}/${WEBHOOK}-ca`,
    })
  })

  test(`components/cert-manager on ${resource} lets the webhook read the mounted files`, async () => {
    const { objects } = await effectOf('cert-manager', resource)
    const { containers, volumes } = deployment(objects)
    const [{ env, volumeMounts }] = containers
    const mountPath = '/var/run/flux-metrics/tls'
    const values = Object.fromEntries(env.map(({ name, value }) => [name, value]))
    const { CERTIFICATES, TLS_CERT_FILE, TLS_KEY_FILE } = values
    assert.deepEqual(
      [CERTIFICATES, TLS_CERT_FILE, TLS_KEY_FILE],
      ['files', `${mountPath}/tls.crt`, `${mountPath}/tls.key`],
    )
    // The other variables are still there, each once.
    assert.deepEqual(
      [env.length, 'SIDECAR_IMAGE' in values],
      [new Set(Object.keys(values)).size, true],
    )
    assert.deepEqual(volumeMounts, [{ mountPath, name: 'tls', readOnly: true }])
    assert.deepEqual(volumes, [{ name: 'tls', secret: { secretName: `${WEBHOOK}-tls` } }])
  })

  test(`components/network-policy on ${resource} adds a policy, and is accepted`, async () => {
    const { objects: _all, ...effect } = await effectOf('network-policy', resource)
    assert.deepEqual(effect, { added: ['NetworkPolicy'], removed: [], changed: [] })
    await dryRun(['-f', '-'], await build({ resource, component: 'network-policy' }))
  })

  test(`components/kubernetes-1.27 on ${resource} sends all pods of MiniClusters to review`, async () => {
    const { objects, ...effect } = await effectOf('kubernetes-1.27', resource)
    const changed = ['MutatingWebhookConfiguration']
    assert.deepEqual(effect, { added: [], removed: [], changed })
    assert.deepEqual(
      webhooks(objects).webhooks.map(({ objectSelector }) => objectSelector),
      [{ matchLabels: { app: 'flux-operator' } }, undefined],
    )
    await dryRun(['-f', '-'], await build({ resource, component: 'kubernetes-1.27' }))
  })
}

for (const resource of ['', 'overlays/direct']) {
  test(`components/guard on manifests/${resource} adds policies, and is accepted`, async (t) => {
    if (!(await hasAdmissionPolicies())) return t.skip('the API server is older than 1.30')
    const { objects: _all, ...effect } = await effectOf('guard', resource)
    const added = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding']
    assert.deepEqual(effect, { added, removed: [], changed: [] })
    await dryRun(['-f', '-'], await build({ resource, component: 'guard' }))
  })
}

test('components/external on the default changes the gateway only, and is accepted', async () => {
  const { objects: _all, ...effect } = await effectOf('external', '')
  assert.deepEqual(effect, { added: [], removed: [], changed: ['Deployment'] })
  await dryRun(['-f', '-'], await build({ resource: '', component: 'external' }))
})

for (const [component, transformers] of [
  [undefined, []],
  ['guard', ['manifests/transformers/namespace/guard.yaml']],
  ['network-policy', []],
] as const) {
  test(`namespace: moves the default (with ${component}), and its names follow`, async () => {
    const user = { resource: '', ...(component !== undefined && { component }) }
    const expected = (await build(user))
      .replace(/\bnamespace: flux-metrics$/gm, 'namespace: elsewhere')
      .replace(/(?<=^kind: Namespace\n(?: *\S.*\n)*) {2}name: flux-metrics$/m, '  name: elsewhere')
    const fields = { namespace: 'elsewhere', transformers }
    assert.deepEqual(parseObjects(await build({ ...user, fields })), parseObjects(expected))
  })
}

test('images: of a kustomization around an overlay changes the images of webhook and sidecars, and nothing else', async () => {
  const resource = 'overlays/direct'
  const images = [
    { name: 'flux-metrics-webhook', newName: 'example.org/webhook', newTag: 'v1' },
    {
      name: 'flux-metrics-sidecar',
      newName: 'example.org/sidecar',
      digest: `sha256:${'a'.repeat(64)}`,
    },
  ]
  const was = byName(await build({ resource }))
  const is = byName(await build({ resource, fields: { images } }))
  const changed = [...is].filter(
    ([name, object]) => JSON.stringify(object) !== JSON.stringify(was.get(name)),
  )
  assert.deepEqual(
    changed.map(([name]) => name),
    [`Deployment ${WEBHOOK_NAMESPACE} ${WEBHOOK}`],
  )
  const [before] = deployment(was).containers
  const [after] = deployment(is).containers
  assert.deepEqual(after, {
    ...before,
    env: before.env.map((variable) =>
      variable.name === 'SIDECAR_IMAGE'
        ? { ...variable, value: `example.org/sidecar@sha256:${'a'.repeat(64)}` }
        : variable,
    ),
    image: 'example.org/webhook:v1',
  })
})

for (const component of [undefined, 'cert-manager', 'guard', 'network-policy']) {
  test(`namespace: with transformers/namespace moves the webhook, and not the Service of the MiniCluster (with ${component})`, async () => {
    const user = { resource: 'overlays/external', ...(component !== undefined && { component }) }
    const fields = { namespace: 'elsewhere', transformers: ['manifests/transformers/namespace'] }
    const expected = (await build(user))
      // Objects, subjects, the reference to the webhook's Service, the Namespace; with cert-manager also its names.
      .replace(/\bnamespace: flux-metrics$/gm, 'namespace: elsewhere')
      .replace(/(?<=^kind: Namespace\n(?: *\S.*\n)*) {2}name: flux-metrics$/m, '  name: elsewhere')
      .replaceAll('flux-metrics-webhook.flux-metrics.svc', 'flux-metrics-webhook.elsewhere.svc')
      .replace('inject-ca-from: flux-metrics/', 'inject-ca-from: elsewhere/')
    assert.deepEqual(parseObjects(await build({ ...user, fields })), parseObjects(expected))
  })
}

test('the kustomization in docs/install/KUSTOMIZE.md builds: other images, another namespace', async () => {
  const page = await readFile(join(MANIFESTS, '../docs/install/KUSTOMIZE.md'), 'utf8')
  const [, text = ''] = /```yaml\n( *resources: \[manifests\][\s\S]*?)```/.exec(page) ?? []
  const fields = v.parse(v.looseObject({ namespace: v.string() }), parseYaml(text)[0])
  const built = await build({ resource: '', fields })
  const images = built.match(/\S*flux-metrics-(webhook|sidecar):\d\S+/g) ?? []
  assert.deepEqual(
    images.map((image) => image.split('/')[0]),
    // Those of the gateway, of sidecars and of the webhook.
    ['registry.example', 'registry.example', 'registry.example'],
  )
  const namespaces = parseObjects(built).flatMap(({ metadata }) => metadata.namespace ?? [])
  assert.deepEqual(new Set(namespaces), new Set([fields.namespace]))
})

const ApiServiceSchema = v.object({
  spec: v.object({ service: v.object({ namespace: v.string() }) }),
})

test('one edit moves Service and APIServices to another namespace', async () => {
  const edit = {
    file: 'overlays/direct/service.yaml',
    from: 'namespace: default',
    to: 'namespace: hpc',
  }
  const objects = parseObjects(await build({ resource: 'overlays/external', edit }))
  const services = objects.filter(({ kind }) => kind === 'APIService')
  const namespaces = services.map((one) => v.parse(ApiServiceSchema, one).spec.service.namespace)
  assert.deepEqual(namespaces, ['hpc', 'hpc', 'hpc'])
  assert.ok(
    objects.some(({ kind, metadata }) => kind === 'Service' && metadata.namespace === 'hpc'),
  )
})
