// A rule about one HPA, and what it is compared with. Types only.
import type { ServerVersion } from '../../../../kubernetes/server-version.ts'
import type { Hpa } from '../../../input/cluster/hpa.ts'
import type { MiniClusterSource } from '../../../input/files/minicluster-source.ts'
import type { Finding } from '../../finding.ts'

/** What an HPA is compared with. */
export interface HpaSurroundings {
  /** The MiniCluster that it scales. */
  readonly minicluster: MiniClusterSource
  /** `undefined` if it is not known. */
  readonly version: ServerVersion | undefined
  /** The present values of its metrics, those of its user included. Empty if they are not known. */
  readonly values: ReadonlyMap<string, number>
  /** Whether the MiniCluster has metrics of its user. */
  readonly hasUserMetrics: boolean
  /** Whether ranks are drained before the size falls. */
  readonly drains: boolean
}

/** @returns a finding for each mistake */
export type HpaRule = (hpa: Hpa, surroundings: HpaSurroundings) => readonly Finding[]
