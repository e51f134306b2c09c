// `flux-metrics dashboard` on a real cluster: the list from the gateway, one MiniCluster through the API server with the user's
// kubeconfig, and what RBAC leaves of both.
import assert from 'node:assert/strict'
import { withShared } from './support/cases.ts'
import { kubeconfigAs, RunningDashboard } from './support/dashboard.ts'
import { Fleet } from './support/fleet.ts'
import { run } from './support/installation.ts'
import { eventually } from './support/wait.ts'

withShared('the dashboard', () => Fleet.create(), {
  'the list has every MiniCluster of the cluster, with its size': async (fleet) => {
    await using dashboard = await RunningDashboard.start()
    const list = await eventually('a row with numbers of each', async () => {
      const found = await dashboard.list()
      if (found.kind === 'unknown') throw new Error(found.reason)
      const { miniclusters } = found.overview
      return miniclusters.every((row) => 'present' in row) ? found : undefined
    })
    assert.equal(list.note, null)
    const expected = fleet.members.map(({ namespace, name }) => `${namespace}/${name} 2`).sort()
    const found = list.overview.miniclusters.map((row) => {
      const { namespace, minicluster } = row
      return `${namespace}/${minicluster} ${'present' in row ? row.present : row.reason}`
    })
    assert.deepEqual(found.toSorted(), expected)
  },

  'one MiniCluster has its ranks, its jobs, its hour, its metrics, and the state of its HPA':
    async (fleet) => {
      const { first, cluster } = fleet
      await cluster.objects.create(fleet.jobsHpa(first))
      await fleet.submit(first, 3)
      await using dashboard = await RunningDashboard.start([first.name, '-n', first.namespace])
      const state = await eventually('three running jobs', async () => {
        const found = await dashboard.state(first)
        if (found.kind === 'unknown') throw new Error(found.reason)
        return found.explanation.running?.listed.length === 3 ? found : undefined
      })
      const { explanation, hpas } = state
      assert.equal(explanation.maximum, 4)
      assert.match(hpas?.join() ?? '', new RegExp(`^${first.name}: `))
      assert.ok((explanation.history?.at.length ?? 0) > 0)
      const metrics = new Map(explanation.metrics?.map(({ name, value }) => [name, value]))
      assert.equal(metrics.get('node_desired_count'), explanation.desired)
      // The gateway's own.
      assert.equal(metrics.get('node_unavailable_count'), 0)
      const { yaml = '' } = await dashboard.hpa(first, 'node_desired_count')
      assert.match(yaml, /kind: HorizontalPodAutoscaler[\s\S]*maxReplicas: 4/)
      assert.equal(await dashboard.end(), 0)
    },

  'a user sees what RBAC allows, and is told what it does not': async ({ first, alone }) => {
    const scope = `--namespace=${first.namespace}`
    const account = `${first.namespace}:watcher`
    await run(['create', 'serviceaccount', 'watcher', scope])
    const role = ['--clusterrole=flux-metrics-explain', `--serviceaccount=${account}`]
    await run(['create', 'rolebinding', 'watcher', ...role, scope])
    await using kubeconfig = await kubeconfigAs(`system:serviceaccount:${account}`)
    const flags = ['--kubeconfig', kubeconfig.path, '-n', first.namespace]
    await using dashboard = await RunningDashboard.start(flags)
    const list = await eventually('the list of the namespace', async () => {
      const found = await dashboard.list()
      return found.kind === 'known' ? found : undefined
    })
    assert.match(
      list.note ?? '',
      new RegExp(`^Only namespace ${first.namespace} is listed\\. .*orbidden`),
    )
    assert.deepEqual(
      [...new Set(list.overview.miniclusters.map(({ namespace }) => namespace))],
      [first.namespace],
    )
    const own = await dashboard.state(first)
    assert.equal(own.kind, 'known')
    assert.match((own.kind === 'known' ? own.hpas : null)?.join() ?? '', /^not known: .*orbidden/)
    const other = await dashboard.state(alone)
    assert.match(other.kind === 'unknown' ? other.reason : '', /orbidden/)
  },
})
