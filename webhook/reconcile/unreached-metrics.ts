// MiniClusters with a sidecar whose metrics HPAs cannot read, or that share their API with another one. Admission tells the
// second of two; this tells the first, and both after the API has been led elsewhere.
import type { LookUps } from '../admission/look-ups/look-ups.ts'
import { reach, type Topology } from '../kubernetes/aggregation/reach.ts'
import type { LeadBroker, Survey } from './lead-brokers.ts'
import type { Confirmed, Suspicion } from './suspicion.ts'

const REASONS = { unreached: 'Unreached', shared: 'Shared' } as const

export interface UnreachedMetricsOptions {
  readonly lookUps: Pick<LookUps, 'find'>
  /** What the custom metrics API leads to; `undefined` if that is not known. */
  readonly topology: () => Topology | undefined
}

export class UnreachedMetrics implements Suspicion {
  readonly what = 'metrics of a MiniCluster cannot be relied on'
  readonly #options: UnreachedMetricsOptions

  constructor(options: UnreachedMetricsOptions) {
    this.#options = options
  }

  /** A Service that selects every MiniCluster is right while there is one. */
  suspects({ leadBrokers }: Survey): readonly LeadBroker[] {
    const injected = leadBrokers.filter(({ isInjected }) => isInjected)
    const shared = injected.filter((lead) => this.#reach(lead).kind === 'shared')
    const isShared = new Set(shared.map(({ job }) => job.name)).size > 1
    return injected.filter((lead) => {
      const { kind } = this.#reach(lead)
      return kind === 'unreached' || (kind === 'shared' && isShared)
    })
  }

  async examine(lead: LeadBroker): Promise<Confirmed | undefined> {
    const { namespace, job } = lead
    const minicluster = await this.#options.lookUps.find({ kind: 'candidate', job }, namespace)
    const reached = this.#reach(lead)
    if (minicluster === undefined || reached.kind === 'reached') return undefined
    const event = { type: 'Warning', reason: 'MetricsUnreached', message: reached.why } as const
    return { minicluster, reason: REASONS[reached.kind], event }
  }

  /** The Job of a MiniCluster has its name. */
  #reach({ namespace, job }: LeadBroker) {
    return reach(this.#options.topology(), { namespace, name: job.name })
  }
}
