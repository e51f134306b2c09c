// The webhook's pods as an administrator sees them: logs and metrics of each, through the API server.
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './installation.ts'

const SCOPE = `--namespace=${WEBHOOK_NAMESPACE}`
const SELECTOR = `--selector=app.kubernetes.io/name=${WEBHOOK}`

/** Names of the running pods. */
export async function webhookPods(): Promise<readonly string[]> {
  const running = '--field-selector=status.phase=Running'
  const names = await run([
    'get',
    'pods',
    SCOPE,
    SELECTOR,
    running,
    '-o=jsonpath={.items[*].metadata.name}',
  ])
  return names.split(' ').filter((name) => name !== '')
}

/** The lines of all pods' logs, parsed. */
export async function webhookLog(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await run(['logs', SCOPE, SELECTOR, '--tail=-1'])
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** The number of reviews with this decision, over all pods. */
export async function countReviews(decision: 'inject' | 'skip'): Promise<number> {
  let count = 0
  for (const pod of await webhookPods()) {
    const path = `/api/v1/namespaces/${WEBHOOK_NAMESPACE}/pods/http:${pod}:8080/proxy/metrics`
    const metrics = await run(['get', '--raw', path])
    const samples = metrics.matchAll(
      /^flux_metrics_webhook_reviews_total\{decision="(\w+)"[^}]*\} (\d+)$/gm,
    )
    for (const [, what, value] of samples) if (what === decision) count += Number(value)
  }
  return count
}
