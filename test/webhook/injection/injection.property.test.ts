// Properties of every injected pod, whatever its user put into it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { apply_patch } from 'jsonpatch'
import { allContainers, COMPLETION_INDEX, type Pod, toPod } from '../../../webhook/objects/pod.ts'
import { arbitraryPod } from '../../support/arbitrary-pods.ts'
import { restrictedViolations } from '../../support/pod-security.ts'
import { runs } from '../../support/runs.ts'
import { createReviewer } from '../support-admission.ts'
import { JOB_OWNER, OBJECTS, podReview } from '../support-objects.ts'

const versions = fc.constantFrom({ major: 1, minor: 28 }, { major: 1, minor: 36 })

/** Makes any pod the lead broker's pod of an enabled MiniCluster. */
function toLeadPod(pod: Pod): Pod {
  const annotations = { ...pod.metadata.annotations, [COMPLETION_INDEX]: '0' }
  return { ...pod, metadata: { ...pod.metadata, annotations, ownerReferences: [JOB_OWNER] } }
}

/** Puts the proxy of a mesh before all containers, as a mesh does whose webhook comes first, or asks for it. */
function withMesh(pod: Pod, mesh: string | undefined): Pod {
  if (mesh === undefined) return pod
  const { metadata, spec } = pod
  if (mesh === 'asked') {
    const annotations = { ...metadata.annotations, 'linkerd.io/inject': 'enabled' }
    const labels = { ...metadata.labels, 'sidecar.istio.io/inject': 'true' }
    return { ...pod, metadata: { ...metadata, annotations, labels } }
  }
  return { ...pod, spec: { ...spec, containers: [{ name: mesh }, ...spec.containers] } }
}

const meshes = fc.constantFrom(undefined, undefined, 'asked', 'istio-proxy', 'linkerd-proxy')

const cases = fc.record({
  pod: fc.tuple(arbitraryPod(), meshes).map(([pod, mesh]) => withMesh(toLeadPod(pod), mesh)),
  version: versions,
})

interface Injection {
  readonly reason: unknown
  readonly after: Pod
}

/** Reviews a pod, and applies the patch as the API server does. */
async function inject(pod: Pod, version: { readonly major: number; readonly minor: number }) {
  const { review, lines } = createReviewer({ objects: OBJECTS, version })
  const { patch } = await review(podReview(pod))
  const after = toPod(apply_patch<unknown>(pod, [...patch]))
  assert.ok(after)
  const injection: Injection = { reason: lines[0]?.reason, after }
  const again = await review(podReview(after))
  return { ...injection, again, secondReason: lines[1]?.reason }
}

/** JSON Pointers of the differences: `added` where nothing (or null) was, otherwise `changed`. Additions are one difference. */
function differences(before: unknown, after: unknown, path = ''): readonly string[] {
  if (Object.is(before, after)) return []
  if (before === undefined || before === null) return [`added ${path}`]
  if (!isObject(before) || !isObject(after)) return [`changed ${path}`]
  const was = new Map(Object.entries(before))
  const is = new Map(Object.entries(after))
  const keys = [...new Set([...was.keys(), ...is.keys()])]
  return keys.flatMap((key) => differences(was.get(key), is.get(key), `${path}/${key}`))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

const OUR_ADDITIONS = [
  /^\/metadata\/labels(\/(api-server|flux-metrics\/minicluster))?$/,
  /^\/metadata\/annotations\/flux-metrics\/(injected|client-ca)$/,
  /^\/metadata\/annotations\/kubectl\.kubernetes\.io\/default-container$/,
  /^\/metadata\/annotations\/traffic\.sidecar\.istio\.io\/excludeInboundPorts$/,
  /^\/metadata\/annotations\/config\.linkerd\.io\/skip-inbound-ports$/,
  /^\/metadata\/annotations\/karpenter\.sh\/do-not-disrupt$/,
  /^\/metadata\/annotations\/cluster-autoscaler\.kubernetes\.io\/safe-to-evict$/,
  /^\/spec\/volumes(\/\d+)?$/,
  /^\/spec\/(initContainers|containers)(\/\d+)?$/,
]

/** The broker's container alone gets a mount, wherever it stands. */
function brokerMounts({ spec }: Pod): RegExp {
  const index = spec.containers.findIndex(({ name }) => name === JOB_OWNER.name)
  return new RegExp(`^/spec/containers/${Math.max(index, 0)}/volumeMounts(/\\d+)?$`)
}

function assertUnique(texts: readonly string[]): void {
  assert.deepEqual(texts, [...new Set(texts)])
}

const NUM_RUNS = { numRuns: runs(3_000) }

test('the broker of a drawn pod often stands behind other containers, and then gets mounts', async () => {
  const drawn = fc.sample(cases, { numRuns: 400, seed: 1 })
  const behind = drawn.filter(
    ({ pod }) => pod.spec.containers.findIndex(({ name }) => name === JOB_OWNER.name) > 0,
  )
  assert.ok(behind.length > 20)
  const mounted = await Promise.all(
    behind.map(async ({ pod, version }) => {
      const { after } = await inject(pod, version)
      return differences(pod, after).some((what) =>
        brokerMounts(pod).test(what.split(' ')[1] ?? ''),
      )
    }),
  )
  assert.ok(mounted.some(Boolean))
})

test('more than 30 of 100 drawn pods are injected', async () => {
  const drawn = fc.sample(cases, { numRuns: 100, seed: 1 })
  const injections = await Promise.all(drawn.map(({ pod, version }) => inject(pod, version)))
  assert.ok(injections.filter(({ reason }) => reason === 'Enabled').length > 30)
})

test('a pod keeps everything of its user, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ pod, version }) => {
      const { after } = await inject(pod, version)
      const ours = [...OUR_ADDITIONS, brokerMounts(pod)]
      const foreign = differences(pod, after).filter(
        (what) => !ours.some((pattern) => pattern.test(what.replace(/^added /, ''))),
      )
      assert.deepEqual(foreign, [])
    }),
    NUM_RUNS,
  )
})

test('a pod that was injected is left as it is', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ pod, version }) => {
      const { reason, again, secondReason } = await inject(pod, version)
      assert.deepEqual(again.patch, [])
      assert.equal(secondReason, reason === 'Enabled' ? 'AlreadyInjected' : reason)
    }),
    NUM_RUNS,
  )
})

test('names of containers and volumes and paths of mounts stay unique', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ pod, version }) => {
      const { after } = await inject(pod, version)
      assertUnique(allContainers(after).map(({ name }) => name))
      assertUnique((after.spec.volumes ?? []).map(({ name }) => name))
      for (const { volumeMounts } of allContainers(after)) {
        assertUnique((volumeMounts ?? []).map(({ mountPath }) => mountPath))
      }
    }),
    NUM_RUNS,
  )
})

test('the sidecar is last, and every volume that it mounts exists', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ pod, version }) => {
      const { after, reason } = await inject(pod, version)
      if (reason !== 'Enabled') return
      const { containers, initContainers, volumes } = after.spec
      const last = [containers.at(-1), initContainers?.at(-1)]
      const sidecar = last.find((container) => container?.name === 'flux-metrics')
      const known = new Set((volumes ?? []).map(({ name }) => name))
      const mounted = (sidecar?.volumeMounts ?? []).map(({ name }) => name)
      assert.ok(mounted.length >= 2)
      assert.deepEqual(
        mounted.filter((name) => !known.has(name)),
        [],
      )
    }),
    NUM_RUNS,
  )
})

test('Pod Security "restricted" admits with the sidecar every pod that it admits without', async () => {
  const restricted = fc.record({
    pod: arbitraryPod({ restricted: true }).map(toLeadPod),
    version: versions,
  })
  await fc.assert(
    fc.asyncProperty(restricted, async ({ pod, version }) => {
      assert.deepEqual(restrictedViolations(pod), [])
      const { after } = await inject(pod, version)
      assert.deepEqual(restrictedViolations(after), [])
    }),
    NUM_RUNS,
  )
})
