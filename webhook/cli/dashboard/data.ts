// What the page is told, as JSON: the types that the command and the page share, and where the answers come from. Types only.
import type { ReadExplanation } from '../input/cluster/explanation.ts'
import type { ReadOverview } from './overview.ts'

/** Names a MiniCluster of the cluster. */
export interface Subject {
  readonly namespace: string
  readonly name: string
}

/** What the page shows first. */
export interface Start {
  /** Of this program. */
  readonly version: string
  /** The MiniCluster that the user named; `null`: the list. */
  readonly subject: Subject | null
  /** What to call it, if it has no name here: the address of its sidecar. */
  readonly title: string | null
  /** Whether there is a list of MiniClusters. */
  readonly hasList: boolean
}

/** Why there is no answer. */
export interface NotKnown {
  readonly kind: 'unknown'
  readonly reason: string
}

/** One MiniCluster: all numbers are of one reading. */
export type MiniClusterState =
  | {
      readonly kind: 'known'
      readonly explanation: ReadExplanation
      /** What Kubernetes says of its HPAs; `null`: nobody was asked. */
      readonly hpas: readonly string[] | null
    }
  | NotKnown

export type ListState =
  | {
      readonly kind: 'known'
      readonly overview: ReadOverview
      /** Why not all MiniClusters of the cluster are in it; `null` if they are. */
      readonly note: string | null
    }
  | NotKnown

/** An HPA as YAML, with comments. */
export type HpaState = { readonly kind: 'known'; readonly yaml: string } | NotKnown

/** Where the answers come from. None of the questions rejects. */
export interface DashboardData {
  readonly start: Start
  /** @param subject `null`: the one that the user named */
  state(subject: Subject | null): Promise<MiniClusterState>
  list(): Promise<ListState>
  /** The HPA that uses a metric. */
  hpa(subject: Subject | null, metric: string): Promise<HpaState>
}
