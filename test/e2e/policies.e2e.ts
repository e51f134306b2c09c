// The golden cases of policies, against the API server itself: each pod is admitted as it is, and as the webhook patches it. Where
// the webhook leaves a pod alone, the pod would be refused with a sidecar of the least size, or the sidecar would take a GPU.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { apply_patch } from 'jsonpatch'
import { formatQuantity, parseQuantity } from '../../webhook/objects/quantity.ts'
import { kubectl } from './support/kubectl.ts'
import { hasPodResources } from './support/server-version.ts'
import { eventually } from './support/wait.ts'

const GOLDEN = join(import.meta.dirname, '../golden')
const NAMESPACE = 'flux-metrics-policies'

/** All but the pod that its quota refuses without a sidecar too. */
const CASES = readdirSync(GOLDEN).filter(
  (name) => /^(limit-range|quota|pod-resources)/.test(name) && !name.endsWith('without-sidecar'),
)

const LEAST = {
  name: 'flux-metrics',
  image: 'sidecar',
  restartPolicy: 'Always',
  resources: {
    requests: { cpu: '1m', memory: '32Mi' },
    limits: { cpu: '50m', memory: '96Mi' },
  },
}

function readJson(name: string, file: string) {
  return JSON.parse(readFileSync(join(GOLDEN, name, file), 'utf8'))
}

/** What is used in the recorded quota is taken off its limit: in a new namespace nothing is used. */
function asUnused(object: Record<string, unknown>): object {
  const { kind, apiVersion, spec, status } = JSON.parse(JSON.stringify(object))
  const name = JSON.parse(JSON.stringify(object)).metadata.name
  const metadata = { name, namespace: NAMESPACE }
  if (kind !== 'ResourceQuota') return { kind, apiVersion, metadata, spec }
  const left = Object.entries<string>(spec.hard).map(([resource, most]) => {
    const free = (parseQuantity(most) ?? 0n) - (parseQuantity(status.used[resource]) ?? 0n)
    return [resource, formatQuantity(resource.replace(/^\w+\./, ''), free)]
  })
  return { kind, apiVersion, metadata, spec: { ...spec, hard: Object.fromEntries(left) } }
}

async function create(object: object, flags: readonly string[] = []) {
  return kubectl(
    ['create', `--namespace=${NAMESPACE}`, ...flags, '-f', '-'],
    JSON.stringify(object),
  )
}

/** The pod as it would be created, or why it would not. */
async function tryPod(pod: Record<string, unknown>) {
  const { metadata, status: _status, ...rest } = JSON.parse(JSON.stringify(pod))
  const { code, stdout, stderr } = await create(
    {
      ...rest,
      metadata: { ...metadata, namespace: NAMESPACE, ownerReferences: [], finalizers: [] },
    },
    ['--dry-run=server', '--output=json'],
  )
  return code === 0 ? { created: JSON.parse(stdout), refusal: '' } : { refusal: stderr }
}

/** Whether a LimitRange gave the sidecar something that jobs need, such as `nvidia.com/gpu`. */
function takesDevices(pod: { spec: { initContainers: (typeof LEAST)[] } }): boolean {
  const sidecar = pod.spec.initContainers.find(({ name }) => name === LEAST.name)
  return Object.keys(sidecar?.resources.limits ?? {}).some((resource) => resource.includes('/'))
}

test('a namespace with a service account', async () => {
  await kubectl(['create', 'namespace', NAMESPACE])
  await eventually('its service account', async () => {
    const args = ['get', 'serviceaccount', 'default', `--namespace=${NAMESPACE}`]
    return (await kubectl(args)).code === 0 ? true : undefined
  })
})

after(async () => kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']))

for (const name of CASES) {
  test(`the API server agrees with the webhook on "${name}"`, async (t) => {
    if (name.startsWith('pod-resources') && !(await hasPodResources())) {
      return t.skip('the API server is older than 1.34, and drops the resources of a whole pod')
    }
    const { object } = readJson(name, 'review.json').request
    const policies = readJson(name, 'objects.json')
      .filter(({ kind }: { kind: string }) => /LimitRange|ResourceQuota/.test(kind))
      .map(asUnused)
    for (const policy of policies) assert.equal((await create(policy)).code, 0)
    const [ours] = policies
    if (ours?.kind === 'ResourceQuota') {
      await eventually('a counted quota', async () => {
        const scope = `--namespace=${NAMESPACE}`
        const { stdout } = await kubectl([
          'get',
          'resourcequota',
          scope,
          '-o=jsonpath={.items[*].status.used}',
        ])
        return stdout === '' ? undefined : true
      })
    }
    try {
      // LimitRanges and quotas reach the admission plugins through a cache.
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.equal((await tryPod(object)).refusal, '', 'before')
      const patch = readJson(name, 'patch.json')
      if (patch.length > 0)
        assert.equal((await tryPod(apply_patch(object, patch))).refusal, '', 'after')
      else {
        const initContainers = [...object.spec.initContainers, LEAST]
        const tried = await tryPod({ ...object, spec: { ...object.spec, initContainers } })
        if (tried.created === undefined) assert.match(tried.refusal, /forbidden|invalid/i)
        else assert.ok(takesDevices(tried.created), 'it would be created, and take no device')
      }
    } finally {
      await kubectl(['delete', 'limitrange,resourcequota', '--all', `--namespace=${NAMESPACE}`])
    }
  })
}
