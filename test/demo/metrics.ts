// Reads from the sidecar's API what the demo shows: metrics, as an HPA reads them, and the reason for the size.

import { toMilli } from '../../webhook/cli/hpa-controller/milli-value.ts'
import {
  type ReadExplanation,
  readExplanation,
} from '../../webhook/cli/input/cluster/explanation.ts'
import { ask } from '../support/https.ts'

/** A metric's value, or why there is none. */
export type Answer =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'error'; readonly message: string }

/** The path of a metric of the demo's MiniCluster. */
export function metricPath(metric: string): string {
  return `/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/miniclusters.flux-framework.org/flux-sample/${metric}`
}

/** Asks the sidecar for one metric. */
export async function readMetric(port: number, metric: string): Promise<Answer> {
  const { status, text } = await ask(port, metricPath(metric))
  const answer = JSON.parse(text)
  if (status !== 200) return { kind: 'error', message: answer.message }
  return { kind: 'value', value: toMilli(answer.items[0].value) / 1000 }
}

/** One line, `desired 10: rank 9 runs …`; `undefined` if the sidecar has no answer. */
export async function readSummary(port: number): Promise<string | undefined> {
  const { status, text } = await ask(port, '/explain')
  return status === 200 ? JSON.parse(text).summary : undefined
}

/** One explanation with ranks and jobs, or why there is none. */
export async function readNow(port: number): Promise<ReadExplanation | string> {
  const { status, text } = await ask(port, '/explain?include=ranks,jobs')
  return status === 200 ? readExplanation(text) : String(JSON.parse(text).message)
}
