// What two HPAs do to one MiniCluster, as the controller of 1.37 does it: it lets no HPA follow a metric whose pods another HPA
// has, too (AmbiguousSelector), but sets a size that is outside of an HPA's bounds before it looks at either. Pure.
import type { Hpa } from './hpa.ts'

/** @param hpas two or more that scale one MiniCluster */
export function spellRivals(hpas: readonly Hpa[]): string {
  const count = `${hpas.length} HPAs scale it`
  const bounds = hpas.map(({ spec }) => ({ from: spec.minReplicas ?? 1, to: spec.maxReplicas }))
  const low = Math.min(...bounds.map(({ to }) => to))
  const high = Math.max(...bounds.map(({ from }) => from))
  if (low >= high) return `${count}: Kubernetes lets none of them follow its metric`
  return `${count}, and no size is within the bounds of all: it goes from ${low} to ${high} and back, and jobs end`
}
