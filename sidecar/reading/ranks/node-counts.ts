// Counts nodes, cores and GPUs as `flux resource list` counts them. Pure.
import {
  countIds,
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import {
  countCores,
  countGpus,
  countNodes,
  type ResourceSet,
  ranksOf,
  restrictToRanks,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import type { NodeCounts, ResourceCounts } from '#reading/facts.ts'

/** R, the allocated part of it, and the ranks that are down with all their resources. */
interface ResourceSets {
  readonly all: ResourceSet
  readonly allocated: ResourceSet
  readonly down: ResourceSet
}

/** @param bursted ranks of other clusters, which are not counted */
export function countResources(
  reading: ResourceSets,
  drained: Idset,
  bursted: Idset = EMPTY_IDSET,
): { nodes: NodeCounts; cores: ResourceCounts; gpus: ResourceCounts } {
  const { all, allocated, down } = isEmpty(bursted) ? reading : withoutRanks(reading, bursted)
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

function withoutRanks({ all, allocated, down }: ResourceSets, ranks: Idset): ResourceSets {
  // Busy ranks that were excluded are not in R.
  const without = (set: ResourceSet) => restrictToRanks(set, subtractIdsets(ranksOf(set), ranks))
  return { all: without(all), allocated: without(allocated), down: without(down) }
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
