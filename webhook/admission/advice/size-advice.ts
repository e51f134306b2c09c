// Warnings about sizes of a MiniCluster between which nothing can be scaled. Pure.
import type { MiniCluster } from '../../injection/minicluster.ts'

/** The operator takes the first size for the largest one, and patches a larger one back: an HPA would raise it for ever. */
const NO_MAXIMUM =
  'spec.maxSize: not set, so this MiniCluster cannot grow above its first size, and the operator undoes what an HPA asks ' +
  'for: set it'

export function adviseOnSize({ spec }: MiniCluster): readonly string[] {
  return spec?.maxSize ? [] : [NO_MAXIMUM]
}
