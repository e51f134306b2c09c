// What the demo reads through the API, as an HPA would.
import { ask } from '../support/https.ts'

/** A metric's value, or why there is none. */
export type Answer =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'error'; readonly message: string }

/** The path of a metric of the demo's MiniCluster. */
export function metricPath(metric: string): string {
  return `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/miniclusters.flux-framework.org/flux-sample/${metric}`
}

/** Asks the sidecar for one metric. Our counts are below 1000, so that a quantity is its digits. */
export async function readMetric(port: number, metric: string): Promise<Answer> {
  const { status, text } = await ask(port, metricPath(metric))
  const answer = JSON.parse(text)
  if (status !== 200) return { kind: 'error', message: answer.message }
  const quantity: string = answer.items[0].value
  if (!/^\d+$/.test(quantity))
    return { kind: 'error', message: `Cannot read quantity "${quantity}"` }
  return { kind: 'value', value: Number(quantity) }
}
