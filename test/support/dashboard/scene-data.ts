// Tells the page what a test wants it to be told.
import * as v from 'valibot'
import type {
  DashboardData,
  HpaState,
  ListState,
  MiniClusterState,
  Start,
} from '../../../webhook/cli/dashboard/data.ts'
import { hpaFor } from '../../../webhook/cli/dashboard/hpa-snippet.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/files/minicluster-source.ts'

const MINICLUSTER = v.parse(MiniClusterSource, {
  metadata: { name: 'flux-sample', namespace: 'hpc' },
  spec: { size: 2, minSize: 2, maxSize: 16, containers: [{}] },
})

export class SceneData implements DashboardData {
  readonly start: Start
  /** What is told from now on. */
  now: MiniClusterState | undefined
  overview: ListState

  constructor(start: Start, overview: ListState) {
    this.start = start
    this.overview = overview
  }

  async state(): Promise<MiniClusterState> {
    return this.now ?? { kind: 'unknown', reason: 'nothing is told yet' }
  }

  async list(): Promise<ListState> {
    return this.overview
  }

  async hpa(_: unknown, metric: string): Promise<HpaState> {
    return hpaFor(metric, {
      apiVersion: 'flux-framework.org/v1alpha2',
      minicluster: MINICLUSTER,
      choices: { hasTolerance: true, drains: false },
    })
  }
}
