// Compares the RBAC rules in manifests/ with the calls of the webhook: one rule allows each call, and no rule allows more.
// GET /version needs no rule: Kubernetes' own system:public-info-viewer allows it for everyone.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import { EXTERNAL_GROUP, GROUP, MINICLUSTERS } from '#api/api-group.ts'
import { METRICS } from '#metrics/catalog.ts'
import { createAuthority } from '../support/certificates.ts'
import { OBJECTS, readObjects, theOnly } from '../support/manifests.ts'
import { bindingsOf, excesses, grantsIn, strays } from '../support/rbac.ts'
import { SERVER_NAME } from './authority/replicas.ts'
import { callsOf, USERS } from './whole-life.ts'

const RULES = readObjects('base/rbac.yaml')
const AUTHORITY_RULES = readObjects('base/rbac-authority.yaml')

const NAMESPACES = USERS.map(({ namespace }) => namespace)

test('every call of the webhook is allowed by one rule, and every rule is needed for a call', async (t) => {
  const calls = await callsOf(t)
  const grants = grantsIn([...RULES, ...AUTHORITY_RULES])
  assert.deepEqual(strays(calls, grants), [])
  assert.deepEqual(excesses(calls, grants, NAMESPACES), [])
})

test('with CERTIFICATES=files base/rbac.yaml alone allows every call, and every rule is needed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rbac-'))
  t.after(() => rm(folder, { recursive: true }))
  const provider = await createAuthority('cert-manager')
  const pair = await provider.issue({ commonName: 'webhook', dns: [SERVER_NAME] })
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  await writeFile(tls.cert, pair.cert)
  await writeFile(tls.key, pair.key)
  const calls = await callsOf(t, tls)
  assert.deepEqual(strays(calls, grantsIn(RULES)), [])
  assert.deepEqual(excesses(calls, grantsIn(RULES), NAMESPACES), [])
})

const SpecSchema = v.object({
  template: v.object({ spec: v.object({ serviceAccountName: v.string() }) }),
})

test('all grants are for the service account of the Deployment only', () => {
  const { metadata, spec } = theOnly('Deployment', 'base')
  const name = v.parse(SpecSchema, spec).template.spec.serviceAccountName
  const account = { kind: 'ServiceAccount', name, namespace: metadata.namespace }
  for (const { subjects } of bindingsOf([...RULES, ...AUTHORITY_RULES])) {
    assert.deepEqual(subjects, [account])
  }
  const { metadata: own } = theOnly('ServiceAccount', 'base')
  assert.deepEqual([own.name, own.namespace], [account.name, account.namespace])
})

test('the roles for readers are bound to nobody, and grant metrics and explain separately', () => {
  const roles = readObjects('base/rbac-readers.yaml').map(({ kind, metadata, ...role }) => ({
    [`${kind} ${metadata.name}`]: role.rules,
  }))
  const rule = (resources: readonly string[]) => [{ apiGroups: [GROUP], resources, verbs: ['get'] }]
  assert.deepEqual(Object.assign({}, ...roles), {
    'ClusterRole flux-metrics-explain': rule([`${MINICLUSTERS}/explain`]),
    'ClusterRole flux-metrics-reader': rule(
      [...METRICS.keys()].map((name) => `${MINICLUSTERS}/${name}`),
    ),
  })
})

test('no other file of manifests/ grants anything', () => {
  const granting = [...OBJECTS].filter(([, objects]) =>
    objects.some(({ apiVersion }) => apiVersion.startsWith('rbac.authorization.k8s.io/')),
  )
  assert.deepEqual(
    granting.map(([file]) => file),
    [
      'base/rbac-authority.yaml',
      'base/rbac-readers.yaml',
      'base/rbac.yaml',
      'components/upstream/rbac.yaml',
      'gateway/rbac.yaml',
    ],
  )
})

test('components/upstream lets the gateway read metrics of the other adapter, and nothing else', () => {
  const [account] = readObjects('gateway/service-account.yaml')
  const { name, namespace } = account?.metadata ?? {}
  const bindings = bindingsOf(readObjects('components/upstream/rbac.yaml'))
  const subjects = bindings.flatMap((binding) => binding.subjects)
  assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name, namespace }])
  assert.deepEqual(
    bindings.flatMap(({ grants }) =>
      grants.map(({ group, resource, verb }) => [group, resource, verb]),
    ),
    [
      [GROUP, '*', 'get'],
      [EXTERNAL_GROUP, '*', 'list'],
    ],
  )
})
