// components/cert-manager and its example: certificates for the right names at the right paths, and no rights any more for
// the webhook's own authority.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import { serviceNames } from '#serving/certificates/certificate-names.ts'
import { readConfig } from '../../webhook/config.ts'
import { METRICS_SERVICE } from '../../webhook/contract.ts'
import { CONTAINER, environmentOf, SERVICE } from '../support/deployment.ts'
import { kustomization, parseYaml, readObjects, readText } from '../support/manifests.ts'

const Metadata = v.object({ name: v.string(), namespace: v.string() })

/** Strict: cert-manager ignores no field, and neither do these tests. */
const CertificateSchema = v.object({
  metadata: Metadata,
  spec: v.strictObject({
    secretName: v.string(),
    isCA: v.optional(v.boolean(), false),
    commonName: v.optional(v.string()),
    duration: v.optional(v.string()),
    dnsNames: v.optional(v.array(v.string()), []),
    privateKey: v.unknown(),
    issuerRef: v.strictObject({ name: v.string(), kind: v.literal('Issuer') }),
  }),
})

const IssuerSchema = v.object({
  metadata: Metadata,
  spec: v.strictObject({
    selfSigned: v.optional(v.strictObject({})),
    ca: v.optional(v.strictObject({ secretName: v.string() })),
  }),
})

/** The chain in a file: who signs the CA, the CA, who signs with it, and the certificate of a server. */
function chain(file: string) {
  const objects = readObjects(file)
  const [selfSigned, issuer, ...issuers] = objects
    .filter(({ kind }) => kind === 'Issuer')
    .map((object) => v.parse(IssuerSchema, object))
  const [ca, leaf, ...certificates] = objects
    .filter(({ kind }) => kind === 'Certificate')
    .map((object) => v.parse(CertificateSchema, object))
  assert.deepEqual([...issuers, ...certificates], [])
  assert.ok(selfSigned && issuer && ca && leaf)
  return { selfSigned, issuer, ca, leaf }
}

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

const WEBHOOK = chain('components/cert-manager/certificates.yaml')
const SIDECAR = chain('examples/cert-manager-sidecar.yaml')

for (const [what, { selfSigned, issuer, ca, leaf }] of Object.entries({ WEBHOOK, SIDECAR })) {
  test(`the certificate of ${what} is signed by a CA of its namespace, and the CA by itself`, () => {
    assert.deepEqual(selfSigned.spec, { selfSigned: {} })
    assert.equal(ca.spec.issuerRef.name, selfSigned.metadata.name)
    assert.deepEqual(issuer.spec, { ca: { secretName: ca.spec.secretName } })
    assert.equal(leaf.spec.issuerRef.name, issuer.metadata.name)
    const places = [selfSigned, issuer, ca, leaf].map(({ metadata }) => metadata.namespace)
    assert.equal(new Set(places).size, 1)
    assert.notEqual(ca.spec.secretName, leaf.spec.secretName)
    assert.deepEqual([ca.spec.isCA, leaf.spec.isCA], [true, false])
  })

  test(`the CA of ${what} has a name and keeps it and its key: an API server with the old one trusts certificates of the new one`, () => {
    // Without a name in it, verifiers cannot find it by the issuer of the certificate.
    assert.equal(ca.spec.commonName, ca.metadata.name)
    assert.equal(ca.spec.duration, '87600h')
    const kind = { algorithm: 'ECDSA', size: 256 }
    assert.deepEqual(ca.spec.privateKey, { ...kind, rotationPolicy: 'Never' })
    assert.deepEqual(leaf.spec.privateKey, { ...kind, rotationPolicy: 'Always' })
  })
}

test("the webhook's certificate is for the names of its Service", () => {
  const { metadata, spec } = WEBHOOK.leaf
  const { name, namespace } = SERVICE.metadata
  assert.deepEqual(spec.dnsNames, serviceNames(name, namespace))
  assert.equal(metadata.namespace, namespace)
})

test('API servers are given the CA, not the certificate that changes', () => {
  const { name, namespace } = WEBHOOK.ca.metadata
  const patches = kustomization('components/cert-manager').patches.map(({ patch = '' }) => patch)
  const injected = patches.filter((patch) => patch.includes('inject-ca-from'))
  assert.equal(injected.length, 1)
  assert.ok(injected[0]?.endsWith(`cert-manager.io/inject-ca-from: ${namespace}/${name}`))
})

test('the webhook reads its certificate from the mounted files', async (t) => {
  const { spec } = WEBHOOK.leaf
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

test('the component deletes every object of base/rbac-authority.yaml, and what our authority fills', () => {
  const patches = kustomization('components/cert-manager').patches
  const deleted = patches.flatMap(({ target, patch = '' }) => {
    if (target !== undefined) return []
    const { kind, metadata } = v.parse(DeletionSchema, parseYaml(patch)[0])
    return [[kind, metadata.namespace, metadata.name]]
  })
  const rules = ['base/rbac-authority.yaml', 'base/ca-bundle.yaml'].flatMap(readObjects)
  assert.deepEqual(
    deleted,
    rules.map(({ kind, metadata: { name, namespace } }) => [kind, namespace, name]),
  )
})

test("the example's certificate is for the Service of the sidecars, and its comment names Secret and CA", () => {
  const { metadata, spec } = SIDECAR.leaf
  const { namespace } = metadata
  assert.deepEqual(spec.dnsNames, [`${METRICS_SERVICE}.${namespace}.svc`])
  assert.equal(namespace, kustomization('examples').namespace)
  const comment = readText('examples/cert-manager-sidecar.yaml')
  assert.ok(comment.includes(`flux-metrics/tls-secret=${spec.secretName},`))
  const { name } = SIDECAR.ca.metadata
  assert.ok(comment.includes(`cert-manager.io/inject-ca-from=${namespace}/${name}.`))
})
