// The facts that the sidecar would read from a simulated instance, without the broker and the messages between them. A test
// compares them with the facts that sidecar/reading/instance-reader.ts reads as the owner of the instance.
import { idsetOf } from '#flux/sets/id-list.ts'
import { EMPTY_IDSET, type Idset, parseIdset, unionIdsets } from '#flux/sets/idset.ts'
import { countGpus, type RankSegment, type ResourceSet } from '#flux/sets/resource-set.ts'
import type { Facts, QueueState } from '#reading/facts.ts'
import { highestBusyRank } from '#reading/jobs/running-jobs.ts'
import { countResources } from '#reading/ranks/node-counts.ts'
import { ALL_PODS, type PodRanks } from '#reading/ranks/pod-ranks.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Node } from '#simulation/nodes/node.ts'
import { countJobs, failedJobs, jobOnRank, runningRanks, waitingJobs } from './simulated-jobs.ts'

/** @param quorum `broker.quorum`, which the simulated instance does not have */
export function simulatedFacts(instance: Instance, quorum: number): Facts {
  const nodes = instance.nodes.filter(({ excluded }) => !excluded)
  const drained = nodes.filter(({ drain }) => drain !== undefined)
  const all = setOf(nodes, ALL_RESOURCES)
  const allocated = setOf(
    nodes.filter((node) => node.allocated),
    ALLOCATED_RESOURCES,
  )
  const down = setOf(
    nodes.filter(({ online, drain }) => !online || drain !== undefined),
    ALL_RESOURCES,
  )
  const offline = ranksOf(instance.nodes.filter(({ online }) => !online))
  const running = runningRanks(instance)
  const pods = podsOf(nodes)
  const absent = unionIdsets(offline, pods.bursted)
  const busy = highestBusyRank({ allocated, offline: absent, running })
  const waiting = waitingJobs(instance, { hasGpus: countGpus(all) > 0 })
  return {
    takenAt: new Date(instance.now),
    tookMs: 0,
    ...countResources({ all, allocated, down }, ranksOf(drained), pods.bursted),
    jobs: countJobs(instance),
    ...{ all, pods, allocated, running, offline, torpid: EMPTY_IDSET, drains: drainsOf(drained) },
    waiting: {
      kind: 'known',
      jobs: waiting,
      total: instance.pending.length,
      lacksStartable: instance.pending.length > waiting.length,
      unknownRequests: undefined,
    },
    queues: queuesOf(instance),
    failed: failedJobs(instance),
    highestJob: busy === undefined ? undefined : jobOnRank(instance, busy),
    fluxion: undefined,
    quorum,
  }
}

function podsOf(nodes: readonly Node[]): PodRanks {
  const bursted = nodes.filter((node) => node.bursted)
  if (bursted.length === 0) return ALL_PODS
  const hosts = new Set([bursted.at(0)?.host ?? '', bursted.at(-1)?.host ?? ''])
  return { ...ALL_PODS, bursted: ranksOf(bursted), burstedHosts: [...hosts] }
}

function ranksOf(nodes: readonly Node[]): Idset {
  return idsetOf(nodes.map(({ rank }) => rank))
}

/** The resources of a node that a set counts, and a text by which equal ones are found. */
interface NodePart {
  readonly of: (node: Node) => Pick<RankSegment, 'cores' | 'gpus'>
  readonly textOf: (node: Node) => string
}

const ALL_RESOURCES: NodePart = {
  of: ({ cores, gpus }) => ({ cores: parseIdset(cores.text), gpus: parseIdset(gpus.text) }),
  textOf: ({ cores, gpus }) => `${cores.text};${gpus.text}`,
}

const ALLOCATED_RESOURCES: NodePart = {
  of: ({ cores, gpus }) => ({ cores: cores.takenIds, gpus: gpus.takenIds }),
  textOf: ({ cores, gpus }) => `${cores.takenText};${gpus.takenText}`,
}

/** Neighbouring ranks with equal resources are one segment. */
function setOf(nodes: readonly Node[], part: NodePart): ResourceSet {
  const segments: RankSegment[] = []
  let lastText: string | undefined
  for (const node of nodes) {
    const last = segments.at(-1)
    const text = part.textOf(node)
    if (last?.last === node.rank - 1 && text === lastText) {
      segments[segments.length - 1] = { ...last, last: node.rank }
    } else segments.push({ first: node.rank, last: node.rank, ...part.of(node) })
    lastText = text
  }
  return { segments }
}

function drainsOf(drained: readonly Node[]): Facts['drains'] {
  return [...Map.groupBy(drained, ({ drain }) => drain)].map(([drain, nodes]) => ({
    ranks: ranksOf(nodes),
    reason: drain?.reason ?? '',
    drainedAt: drain?.timestamp,
  }))
}

function queuesOf(instance: Instance): ReadonlyMap<string, QueueState> {
  const anonymous = instance.queue(undefined)
  if (anonymous !== undefined) {
    return new Map([['', { ...startedOf(anonymous), ranks: undefined }]])
  }
  return new Map(
    [...instance.queues].map(([name, queue]) => {
      const ranks = queue.nodes.map(({ rank }) => rank).sort((a, b) => a - b)
      return [name, { ...startedOf(queue), ranks: idsetOf(ranks) }]
    }),
  )
}

/** Nobody stops a simulated queue but by itself. */
function startedOf({ started }: { readonly started: boolean }): Omit<QueueState, 'ranks'> {
  return started ? { started } : { started, stop: { by: 'queue' } }
}
