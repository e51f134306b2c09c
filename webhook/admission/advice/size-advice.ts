// Warnings about sizes of a MiniCluster: those between which nothing can be scaled, and one that somebody sets. Pure.
import type { MiniCluster } from '../../objects/minicluster.ts'

/** The operator takes the first size for the largest one, and patches a larger one back: an HPA would raise it for ever. */
const NO_MAXIMUM =
  'spec.maxSize: not set, so this MiniCluster cannot grow above its first size, and the operator undoes what an HPA asks ' +
  'for: set it'

export function adviseOnSize({ spec }: MiniCluster): readonly string[] {
  return spec?.maxSize ? [] : [NO_MAXIMUM]
}

/**
 * About an update of the MiniCluster itself, such as a file that is applied again. An HPA and `kubectl scale` update its scale, which
 * is not reviewed; the operator sets the size of a MiniCluster without `maxSize`.
 */
export function adviseOnShrinking({ spec }: MiniCluster, before: MiniCluster): readonly string[] {
  const [from, to] = [before.spec?.size, spec?.size]
  if (!spec?.maxSize || !from || !to || to >= from) return []
  const ranks = from - to === 1 ? `rank ${to}` : `the ranks from ${to} to ${from - 1}`
  return [
    `spec.size: ${to} instead of ${from} ends all jobs on ${ranks}, whatever the metrics say: leave the size to the HPA ` +
      '(a file that is applied again sets it back)',
  ]
}
