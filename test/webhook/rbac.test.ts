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
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import { createAuthority } from '../support/certificates.ts'
import { OBJECTS, readObjects, theOnly } from '../support/manifests.ts'
import type { Call } from '../support/memory-cluster.ts'
import { allows, bindingsOf, type Grant, wantedBy } from '../support/rbac.ts'
import { SERVER_NAME } from './authority/replicas.ts'
import { callsOf, USERS } from './whole-life.ts'

const RULES = readObjects('base/rbac.yaml')
const AUTHORITY_RULES = readObjects('base/rbac-authority.yaml')

function grantsIn(objects: readonly NewObject[]): readonly Grant[] {
  return bindingsOf(objects).flatMap(({ grants }) => grants)
}

/** Calls that no grant allows, or more than one. */
function strays(calls: readonly Call[], grants: readonly Grant[]): readonly Call[] {
  const allowing = (call: Call) => grants.filter((grant) => allows(grant, wantedBy(call)))
  return calls.filter((call) => allowing(call).length !== 1)
}

/** Grants that no call uses, or that are wider than their use. */
function excesses(calls: readonly Call[], grants: readonly Grant[]): readonly Grant[] {
  return grants.filter((grant) => {
    const uses = calls.map(wantedBy).filter((wanted) => allows(grant, wanted))
    // Users choose the names of their objects. Objects that the webhook names must be granted by that name.
    const ofUsers = uses.some((use) => USERS.some(({ namespace }) => namespace === use.namespace))
    const global = uses.some(({ namespace }) => namespace === undefined)
    // RBAC cannot grant "create" by a name, and a list of all namespaces has none.
    const isNameless = grant.verb === 'create' || grant.verb === 'list'
    const nameFits = grant.name !== undefined || isNameless || ofUsers
    // Kubernetes reserves that name, and a kustomization's "namespace:" would move a RoleBinding out of kube-system.
    const reserved = grant.name === 'extension-apiserver-authentication'
    const scopeFits = grant.namespace !== undefined || ofUsers || global || reserved
    return uses.length === 0 || !nameFits || !scopeFits
  })
}

test('every call of the webhook is allowed by one rule, and every rule is needed for a call', async (t) => {
  const calls = await callsOf(t)
  const grants = grantsIn([...RULES, ...AUTHORITY_RULES])
  assert.deepEqual(strays(calls, grants), [])
  assert.deepEqual(excesses(calls, grants), [])
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
  assert.deepEqual(excesses(calls, grantsIn(RULES)), [])
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
