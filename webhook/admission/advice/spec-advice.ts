// Warnings about the settings of a MiniCluster: scheduler, hosts, sizes and Kueue. Pure.
import type { SchedulerTrap } from '#flux/calls/fluxion.ts'
import type { MiniCluster } from '../../objects/minicluster.ts'
import { readBrokerConfig } from './broker-config.ts'
import { adviseOnBursting } from './bursting-advice.ts'
import { adviseOnKueue } from './kueue-advice.ts'
import { adviseOnScheduler } from './scheduler-advice.ts'
import { adviseOnSize } from './size-advice.ts'

export interface SpecAdvice {
  readonly scheduler: readonly string[]
  /** Which settings `scheduler` is about, for those who also know what the sidecar says of them. */
  readonly traps: readonly SchedulerTrap[]
  readonly bursting: readonly string[]
  readonly size: readonly string[]
  readonly kueue: readonly string[]
}

export function adviseOnSpec(minicluster: MiniCluster): SpecAdvice {
  const text = minicluster.spec?.flux?.brokerConfig ?? ''
  // Read once: a long text takes some time.
  const config = text === '' ? undefined : readBrokerConfig(text)
  const scheduler = adviseOnScheduler(minicluster, config)
  return {
    scheduler: scheduler.map(({ text }) => text),
    traps: scheduler.flatMap(({ trap }) => trap ?? []),
    bursting: adviseOnBursting(minicluster, config),
    size: adviseOnSize(minicluster),
    kueue: adviseOnKueue(minicluster),
  }
}

/** All that is said of a MiniCluster, in the order in which it is said. */
export function sentencesOf({ scheduler, bursting, size, kueue }: SpecAdvice): readonly string[] {
  return [...scheduler, ...bursting, ...size, ...kueue]
}
