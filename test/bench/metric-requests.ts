// Requests for one metric of a sidecar, as the front proxy sends them.
import { ask } from '../support/https.ts'
import type { Bench } from './bench.ts'
import { type Comparison, compare } from './comparison.ts'
import type { ServerProcess } from './processes.ts'

export const METRIC =
  '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/miniclusters.flux-framework.org/flux-sample/node_up_count'

/** Waits until the sidecar has read Flux. Returns its first answer. */
export async function freshAnswer(port: number, { pair }: Bench): Promise<string> {
  for (;;) {
    const { status, text } = await ask(port, METRIC, { client: pair })
    if (status === 200) return text
  }
}

/** Loads both servers with requests for the metric. */
export function compareRequests(
  first: ServerProcess,
  second: ServerProcess,
  { connections, bench }: { readonly connections: number; readonly bench: Bench },
): Promise<Comparison> {
  const { rounds, loadSeconds: seconds } = bench.effort
  const load = { path: METRIC, connections, seconds, ...bench.client }
  return compare(first, second, { load, rounds })
}

/** The requests per second of both servers, for people. */
export function describeRates(comparison: Comparison): string {
  const [first, second] = comparison.medians('perSecond').map(Math.round)
  return `${first} against ${second} requests/s`
}
