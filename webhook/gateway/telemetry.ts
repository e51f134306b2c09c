// The gateway's own Prometheus metrics: requests, the asking of sidecars, the sidecars that it knows. The gauges of the sidecars
// themselves are in scraping/, those of the APIServices in publishing/.
import { Counter, Gauge, Registry } from 'prom-client'
import { registerProcessGauges } from '#serving/process-gauges.ts'
import { type RequestObserver, requestObserver } from '#serving/request-observer.ts'
import {
  type AskingObserver,
  type AskingState,
  PEER_STATES,
  type PeerState,
} from './asking/observer.ts'
import type { MiniClusterName, Peers } from './peers/peer.ts'

/** How old the gateway's own page may be. Many who ask at once, and strangers may, cost no more than one. */
const FRESH_MS = 1_000

export interface Telemetry extends AskingObserver {
  readonly registry: Registry
  /** The page of the registry, at most a second old; the same bytes for all who ask meanwhile. */
  render(): Promise<Buffer>
  readonly observeRequest: RequestObserver
}

export function createTelemetry(): Telemetry {
  const registry = new Registry()
  registerProcessGauges(registry)
  const questions = new Counter({
    name: 'flux_gateway_questions_total',
    help: 'Questions to sidecars, by outcome and whether a question under way was shared',
    labelNames: ['outcome', 'shared'],
    registers: [registry],
  })
  let last: { readonly page: Promise<Buffer>; readonly at: number } | undefined
  return {
    registry,
    render: () => {
      const now = performance.now()
      if (last === undefined || now - last.at >= FRESH_MS)
        last = { page: registry.metrics().then((text) => Buffer.from(text)), at: now }
      return last.page
    },
    observeRequest: requestObserver(registry),
    asked: (outcome, { shared }) => questions.inc({ outcome, shared: String(shared) }),
  }
}

/** Adds what is so at the time of each scrape. */
export function registerStateGauges(
  registry: Registry,
  {
    peers,
    asking,
    budget,
    upstreams,
  }: {
    readonly peers: Pick<Peers, 'all'>
    readonly asking: {
      readonly state: AskingState
      peerState(name: MiniClusterName): PeerState
    }
    readonly budget: { readonly bytes: number }
    /** Of each adapter, by its group. */
    readonly upstreams: { readonly problems: ReadonlyMap<string, string | undefined> }
  },
): void {
  const gauge = (name: string, help: string, read: () => number) => {
    const created: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => created.set(read()),
    })
  }
  const sidecars: Gauge = new Gauge({
    name: 'flux_gateway_sidecars',
    help: 'MiniClusters that have a pod with a sidecar, by whether it can be asked now',
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      const states = peers.all().map((name) => asking.peerState(name))
      for (const state of PEER_STATES)
        sidecars.set({ state }, states.filter((one) => one === state).length)
    },
  })
  gauge(
    'flux_gateway_running_questions',
    'Questions that sidecars are asked now',
    () => asking.state.running,
  )
  gauge(
    'flux_gateway_waiting_questions',
    'Questions that wait for their turn',
    () => asking.state.waiting,
  )
  gauge(
    'flux_gateway_open_circuits',
    'Sidecars that are not asked now, because they could not be reached',
    () => asking.state.openCircuits,
  )
  gauge(
    'flux_gateway_idle_connections',
    'Connections to sidecars that wait for a question',
    () => asking.state.idleConnections,
  )
  gauge(
    'flux_gateway_answer_bytes',
    'Memory of the long answers that are read from sidecars now',
    () => budget.bytes,
  )
  const up: Gauge = new Gauge({
    name: 'flux_gateway_adapter_up',
    help: 'Whether the adapter behind the gateway answers, requests and discovery; by API group',
    labelNames: ['group'],
    registers: [registry],
    collect: () => {
      for (const [group, problem] of upstreams.problems)
        up.set({ group }, problem === undefined ? 1 : 0)
    },
  })
}
