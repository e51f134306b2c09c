// Warnings about the settings of a MiniCluster: scheduler, hosts and sizes. Pure.
import type { MiniCluster } from '../../injection/minicluster.ts'
import { readBrokerConfig } from './broker-config.ts'
import { adviseOnBursting } from './bursting-advice.ts'
import { adviseOnScheduler } from './scheduler-advice.ts'
import { adviseOnSize } from './size-advice.ts'

export interface SpecAdvice {
  readonly scheduler: readonly string[]
  readonly bursting: readonly string[]
  readonly size: readonly string[]
}

export function adviseOnSpec(minicluster: MiniCluster): SpecAdvice {
  const text = minicluster.spec?.flux?.brokerConfig ?? ''
  // Read once: a long text takes some time.
  const config = text === '' ? undefined : readBrokerConfig(text)
  return {
    scheduler: adviseOnScheduler(minicluster, config),
    bursting: adviseOnBursting(minicluster, config),
    size: adviseOnSize(minicluster),
  }
}
