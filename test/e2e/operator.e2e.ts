// Tests our stand-in for the Flux Operator against the observed behaviour of the real one: objects, and reaction to sizes.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { isMiniCluster, MINICLUSTERS, type MiniCluster } from '../support/minicluster.ts'
import { Operator } from '../support/operator.ts'
import {
  type Cluster,
  connect,
  createNamespace,
  installCrd,
  remove,
  removeCrd,
} from './support/cluster.ts'
import { MINICLUSTER, miniCluster } from './support/manifests.ts'
import { holds } from './support/wait.ts'

const name = MINICLUSTER

describe("the operator's stand-in", { timeout: 600_000 }, () => {
  let cluster: Cluster
  let namespace: string
  let operator: Operator
  const log: string[] = []

  before(async () => {
    cluster = connect()
    await installCrd(cluster)
    namespace = await createNamespace(cluster)
    operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [namespace],
      // a broker ignores SIGTERM
      decorate: ({ metadata, spec }) => ({
        ...(metadata !== undefined && { metadata }),
        ...(spec !== undefined && { spec: { ...spec, terminationGracePeriodSeconds: 1 } }),
      }),
      log: (line) => log.push(line),
    })
    await operator.start()
    await cluster.objects.create(miniCluster(namespace, { size: 2, maxSize: 4 }))
  })

  after(async () => {
    await operator.stop()
    await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await removeCrd(cluster)
  })

  async function read(): Promise<MiniCluster> {
    const answer: unknown = await cluster.custom.getNamespacedCustomObject({
      ...MINICLUSTERS,
      namespace,
      name,
    })
    assert.ok(isMiniCluster(answer))
    return answer
  }

  async function patchSpec(spec: object): Promise<void> {
    await cluster.custom.patchNamespacedCustomObject(
      { ...MINICLUSTERS, namespace, name, body: { spec } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  }

  async function jobSize(): Promise<readonly [number | undefined, number | undefined]> {
    const { spec } = await cluster.batch.readNamespacedJob({ namespace, name })
    return [spec?.completions, spec?.parallelism]
  }

  async function jobHasSize(size: number): Promise<void> {
    await holds(`Job of size ${size}`, async () => {
      const [completions, parallelism] = await jobSize()
      return completions === size && parallelism === size
    })
  }

  it('creates ConfigMap, headless Service and Indexed Job, owned by the MiniCluster', async () => {
    await jobHasSize(2)
    const uid = (await read()).metadata?.uid
    const owned = await Promise.all([
      cluster.core.readNamespacedConfigMap({ namespace, name: `${name}-entrypoint` }),
      cluster.core.readNamespacedService({ namespace, name }),
      cluster.batch.readNamespacedJob({ namespace, name }),
    ])
    for (const { metadata } of owned) {
      const [owner] = metadata?.ownerReferences ?? []
      assert.deepEqual([owner?.uid, owner?.controller], [uid, true])
    }
  })

  it('publishes status.size 0 before the first resize', async () => {
    await holds('a status', async () => (await read()).status !== undefined)
    const { jobid, maximumSize, selector, size } = (await read()).status ?? {}
    assert.deepEqual(
      { jobid, maximumSize, selector, size },
      { jobid: '', maximumSize: 4, selector: `hpa-selector=${name}`, size: 0 },
    )
  })

  it('names pods by index, and adds the label job-index later', async () => {
    const labelSelector = `job-name=${name}`
    await holds('two pods labelled', async () => {
      const { items } = await cluster.core.listNamespacedPod({ namespace, labelSelector })
      const indices = items.map((pod) => pod.metadata?.labels?.['job-index'])
      const hosts = items.map((pod) => pod.spec?.hostname)
      return indices.sort().join() === '0,1' && hosts.sort().join() === `${name}-0,${name}-1`
    })
  })

  it('follows spec.size with the Job and status.size', async () => {
    await patchSpec({ size: 3 })
    await jobHasSize(3)
    await holds('status.size 3', async () => (await read()).status?.size === 3)
  })

  for (const size of [5, 0]) {
    it(`does nothing at the invalid size ${size} until it is corrected`, async () => {
      const lines = log.length
      await patchSpec({ size })
      await holds('a complaint', async () =>
        log.slice(lines).some((line) => /invalid size/.test(line)),
      )
      assert.deepEqual(await jobSize(), [3, 3])
      assert.deepEqual([(await read()).spec.size, (await read()).status?.size], [size, 3])
      await patchSpec({ size: 2 })
      await jobHasSize(2)
      await patchSpec({ size: 3 })
      await jobHasSize(3)
    })
  }

  it('does nothing below minSize', async () => {
    await patchSpec({ minSize: 2 })
    const lines = log.length
    await patchSpec({ size: 1 })
    await holds('a complaint', async () =>
      log.slice(lines).some((line) => /invalid size/.test(line)),
    )
    assert.deepEqual(await jobSize(), [3, 3])
    await patchSpec({ size: 3, minSize: null })
  })

  it('patches a larger size back to the first one where there is no maxSize', async () => {
    await patchSpec({ maxSize: null })
    await patchSpec({ size: 6 })
    await holds('spec.size patched back', async () => (await read()).spec.size === 4)
    await jobHasSize(4)
  })

  it('leaves the rest to garbage collection when the MiniCluster is deleted', async () => {
    await remove(cluster, await read())
    await holds('no Job and no pods', async () => {
      const jobs = await cluster.batch.listNamespacedJob({ namespace })
      const pods = await cluster.core.listNamespacedPod({ namespace })
      return jobs.items.length === 0 && pods.items.length === 0
    })
  })
})
