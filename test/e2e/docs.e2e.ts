// README's installation and the tutorial, command by command, on a real cluster: as they are written, they work.
import assert from 'node:assert/strict'
import { withShared } from './support/cases.ts'
import { postControl } from './support/control.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { findLead, leadOf, sizeOf } from './support/members.ts'
import { eventually, holds } from './support/wait.ts'
import { SAMPLE, Walkthrough } from './support/walkthrough.ts'

const README = 'README.md'
const TUTORIAL = 'docs/TUTORIAL.md'

withShared("README's three commands, and the tutorial", () => Walkthrough.create(), {
  'the second command installs webhook and gateway': async (newcomer) => {
    await newcomer.follow(README, 'kubectl kustomize manifests')
    for (const name of [WEBHOOK, 'flux-metrics-gateway']) {
      const scope = `--namespace=${WEBHOOK_NAMESPACE}`
      await run(['rollout', 'status', `deployment/${name}`, scope, '--timeout=120s'])
    }
  },

  'the third makes a MiniCluster whose lead broker gets the sidecar, and its HPA': async (
    newcomer,
  ) => {
    await newcomer.follow(README, 'kubectl apply -k manifests/examples')
    await holds('the lead broker', async () => {
      return (await findLead(newcomer.cluster, SAMPLE)) !== undefined
    })
    const described = await newcomer.follow(TUTORIAL, 'kubectl describe minicluster')
    assert.match(described, /Normal +MetricsInjected /)
  },

  'its metrics are read and explained as the tutorial says': async (newcomer) => {
    const list = await eventually('both nodes', async () => {
      const answer = await newcomer.follow(TUTORIAL, 'kubectl get --raw')
      return answer.includes('"value":"2"') ? answer : undefined
    })
    assert.match(list, /"metric":\{"name":"node_up_count"/)
    assert.match(await newcomer.follow(TUTORIAL, 'flux-metrics explain'), /^desired 2/)
    await holds('the metric in the HPA', async () => {
      return /\d\S*\/1 \(avg\)/.test(await newcomer.follow(TUTORIAL, 'kubectl get hpa'))
    })
  },

  'a job for four nodes makes it grow, and runs': async ({ cluster }) => {
    const lead = { ...SAMPLE, pod: (await leadOf(cluster, SAMPLE)).metadata?.name ?? '' }
    await postControl(lead, '/jobs', { nodes: 4, duration: 600 })
    await holds('four nodes', async () => (await sizeOf(cluster, SAMPLE)) === 4)
    await holds('the job', async () => {
      const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${SAMPLE.namespace}/miniclusters.flux-framework.org/${SAMPLE.name}`
      const answer = await run(['get', '--raw', `${path}/job_queue_state_run_count`])
      return answer.includes('"value":"1"')
    })
  },

  'what it deletes leaves nothing behind': async (newcomer) => {
    await newcomer.follow(TUTORIAL, 'kubectl delete -k manifests/examples')
    await newcomer.follow('docs/how-to/UPGRADE.md', 'kubectl delete -k manifests')
    await holds('nothing of ours', async () => (await newcomer.left()).length === 0, 60_000)
  },
})
