// Prints the state of the cluster after a failure: objects, events, and the logs of all programs.
import { WEBHOOK, WEBHOOK_NAMESPACE } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { MINICLUSTER } from './manifests.ts'

async function show(title: string, args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await kubectl(args)
  process.stdout.write(`\n--- ${title}\n${stdout}${stderr}`)
}

/** Prints the state of a namespace. `atLength` describes its pods as well. */
export async function report(
  namespace: string,
  options: { readonly operatorLog: readonly string[]; readonly atLength: boolean },
): Promise<void> {
  const scope = `--namespace=${namespace}`
  const selector = `--selector=job-name=${MINICLUSTER}`
  process.stdout.write(`\n--- operator\n${options.operatorLog.join('\n')}\n`)
  await show('objects', ['get', 'miniclusters,jobs,pods,hpa,endpointslices', scope, '-o=wide'])
  if (options.atLength) await show('pods', ['describe', 'pods', scope, selector])
  for (const container of ['flux-metrics', MINICLUSTER]) {
    const args = ['logs', scope, selector, `--container=${container}`, '--prefix', '--tail=60']
    await show(container, args)
    await show(`${container}, before its restart`, [...args, '--previous'])
  }
  const webhook = [
    `--namespace=${WEBHOOK_NAMESPACE}`,
    `--selector=app.kubernetes.io/name=${WEBHOOK}`,
  ]
  await show('webhook', ['logs', ...webhook, '--prefix', '--tail=60'])
  await show("webhook's pods", ['get', 'pods,events', `--namespace=${WEBHOOK_NAMESPACE}`])
  await show('autoscalers', ['describe', 'hpa', scope])
  await show('APIServices', ['get', 'apiservices', '-o=wide'])
  await show('events', ['get', 'events', scope, '--sort-by=.lastTimestamp'])
}
