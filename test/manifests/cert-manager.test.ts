// components/cert-manager and its example: certificates for the right names at the right paths, and no rights any more for
// the webhook's own authority.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import { readConfig } from '../../webhook/config.ts'
import { METRICS_SERVICE } from '../../webhook/contract.ts'
import { CONTAINER, environmentOf, SERVICE } from '../support/deployment.ts'
import { kustomization, parseYaml, readObjects, readText, theOnly } from '../support/manifests.ts'

const CertificateSchema = v.object({
  metadata: v.object({ name: v.string(), namespace: v.string() }),
  spec: v.object({
    secretName: v.string(),
    dnsNames: v.array(v.string()),
    privateKey: v.unknown(),
    issuerRef: v.object({ name: v.string(), kind: v.literal('Issuer') }),
  }),
})

const PATCH = v.parse(
  v.object({
    spec: v.object({
      template: v.object({
        spec: v.strictObject({
          containers: v.strictTuple([
            v.strictObject({
              name: v.string(),
              env: v.array(v.strictObject({ name: v.string(), value: v.string() })),
              volumeMounts: v.strictTuple([
                v.strictObject({
                  name: v.string(),
                  mountPath: v.string(),
                  readOnly: v.literal(true),
                }),
              ]),
            }),
          ]),
          volumes: v.strictTuple([
            v.strictObject({
              name: v.string(),
              secret: v.strictObject({ secretName: v.string() }),
            }),
          ]),
        }),
      }),
    }),
  }),
  readObjects('components/cert-manager/deployment.yaml')[0],
).spec.template.spec

const [PATCHED] = PATCH.containers
const [MOUNT] = PATCHED.volumeMounts
const [VOLUME] = PATCH.volumes

const FOLDERS = ['components/cert-manager', 'examples']

for (const folder of FOLDERS) {
  test(`the Certificate in ${folder} has an Issuer, and a key like that of the webhook's own authority`, () => {
    const { metadata, spec } = v.parse(CertificateSchema, theOnly('Certificate', folder))
    const { name, namespace } = theOnly('Issuer', folder).metadata
    assert.deepEqual([name, namespace], [spec.issuerRef.name, metadata.namespace])
    assert.deepEqual(spec.privateKey, { algorithm: 'ECDSA', size: 256 })
  })
}

test("the webhook's certificate is for the names of its Service", () => {
  const { metadata, spec } = v.parse(CertificateSchema, theOnly('Certificate', FOLDERS[0] ?? ''))
  const { name, namespace } = SERVICE.metadata
  const host = `${name}.${namespace}.svc`
  assert.deepEqual(spec.dnsNames, [host, `${host}.cluster.local`])
  assert.equal(metadata.namespace, namespace)
})

test('the webhook reads its certificate from the mounted files', async (t) => {
  const { spec } = v.parse(CertificateSchema, theOnly('Certificate', 'components/cert-manager'))
  assert.equal(PATCHED.name, CONTAINER.name)
  assert.equal(VOLUME.secret.secretName, spec.secretName)
  assert.equal(VOLUME.name, MOUNT.name)
  // The files that the kubelet mounts.
  const folder = await mkdtemp(join(tmpdir(), 'tls-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const file of ['tls.crt', 'tls.key']) await writeFile(join(folder, file), '')
  const env = PATCHED.env.map(({ name, value }) => {
    if (!name.endsWith('_FILE')) return { name, value }
    assert.equal(dirname(value), MOUNT.mountPath)
    return { name, value: join(folder, basename(value)) }
  })
  const read = readConfig(environmentOf(env))
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { tls } = read.config
  assert.deepEqual(tls, { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') })
})

const DeletionSchema = v.object({
  $patch: v.literal('delete'),
  kind: v.string(),
  metadata: v.object({ name: v.string(), namespace: v.optional(v.string()) }),
})

test('the component deletes every object of base/rbac-authority.yaml', () => {
  const patches = kustomization('components/cert-manager').patches
  const deleted = patches.flatMap(({ target, patch = '' }) => {
    if (target !== undefined) return []
    const { kind, metadata } = v.parse(DeletionSchema, parseYaml(patch)[0])
    return [[kind, metadata.namespace, metadata.name]]
  })
  const rules = readObjects('base/rbac-authority.yaml')
  assert.deepEqual(
    deleted,
    rules.map(({ kind, metadata: { name, namespace } }) => [kind, namespace, name]),
  )
})

test("the example's certificate is for the Service of the sidecars, and its comment names it", () => {
  const { metadata, spec } = v.parse(CertificateSchema, theOnly('Certificate', 'examples'))
  const { name, namespace } = metadata
  assert.deepEqual(spec.dnsNames, [`${METRICS_SERVICE}.${namespace}.svc`])
  assert.equal(namespace, kustomization('examples').namespace)
  const comment = readText('examples/cert-manager-sidecar.yaml')
  assert.ok(comment.includes(`flux-metrics/tls-secret=${spec.secretName},`))
  assert.ok(comment.includes(`cert-manager.io/inject-ca-from=${namespace}/${name}.`))
})
