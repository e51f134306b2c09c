// The page's data from one sidecar that is asked directly: with --url, and in the demo.
import type { DashboardData, HpaState, ListState, MiniClusterState, Start } from './data.ts'
import { type Ask, askForState, BUSY, SHARING } from './explained-state.ts'
import { hpaFor, type SnippetSource } from './hpa-snippet.ts'
import { SharedAnswers } from './shared-answers.ts'

export interface SidecarDataOptions {
  /** Of this program. */
  readonly version: string
  /** What to call its MiniCluster. */
  readonly title: string
  readonly ask: Ask
  /** Its MiniCluster; left out if nobody knows it. */
  readonly minicluster?: SnippetSource
  /** Ends all questions. */
  readonly signal: AbortSignal
}

const NO_MINICLUSTER =
  'a sidecar does not know its MiniCluster: kubectl get minicluster NAME -o yaml | flux-metrics hpa'

export class SidecarData implements DashboardData {
  readonly start: Start
  readonly #options: SidecarDataOptions
  readonly #states = new SharedAnswers<MiniClusterState>(SHARING)

  constructor(options: SidecarDataOptions) {
    const { version, title } = options
    this.start = { version, subject: null, title, hasList: false }
    this.#options = options
  }

  async state(): Promise<MiniClusterState> {
    const { ask, signal } = this.#options
    return (await this.#states.of('', () => askForState(ask, signal))) ?? BUSY
  }

  async list(): Promise<ListState> {
    return { kind: 'unknown', reason: 'a sidecar knows its own MiniCluster only' }
  }

  async hpa(_: unknown, metric: string): Promise<HpaState> {
    const { minicluster } = this.#options
    if (minicluster === undefined) return { kind: 'unknown', reason: NO_MINICLUSTER }
    return hpaFor(metric, minicluster)
  }
}
