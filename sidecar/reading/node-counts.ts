// Counts nodes, cores and GPUs as `flux resource list` counts them. Pure.
import { countIds, type Idset, intersectIdsets, subtractIdsets } from '#flux/sets/idset.ts'
import {
  countCores,
  countGpus,
  countNodes,
  type ResourceSet,
  ranksOf,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import type { NodeCounts, ResourceCounts } from './facts.ts'

/** R, the allocated part of it, and the ranks that are down with all their resources. */
interface ResourceSets {
  readonly all: ResourceSet
  readonly allocated: ResourceSet
  readonly down: ResourceSet
}

export function countResources(
  { all, allocated, down }: ResourceSets,
  drained: Idset,
): { nodes: NodeCounts; cores: ResourceCounts; gpus: ResourceCounts } {
  const up = subtractResourceSets(all, down)
  const free = subtractResourceSets(up, allocated)
  const idle = subtractIdsets(ranksOf(up), ranksOf(allocated))
  const sets = { total: all, up, allocated, free }
  return {
    nodes: {
      ...countEach(sets, countNodes),
      down: countNodes(down),
      idle: countIds(idle),
      drained: countIds(intersectIdsets(drained, ranksOf(all))),
    },
    cores: countEach(sets, countCores),
    gpus: countEach(sets, countGpus),
  }
}

function countEach(
  sets: Readonly<Record<keyof ResourceCounts, ResourceSet>>,
  count: (set: ResourceSet) => number,
): ResourceCounts {
  return {
    total: count(sets.total),
    up: count(sets.up),
    allocated: count(sets.allocated),
    free: count(sets.free),
  }
}
