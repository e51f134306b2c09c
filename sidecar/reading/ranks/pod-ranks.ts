// Which ranks of R are pods of this MiniCluster, by the hosts that R names (RFC 20). The Flux Operator lists the pods
// `{name}-{index}` first, in the order of their indices, and the hosts of bursted clusters after them. Pure.
import type { SchedStatus } from '#flux/calls/resource-calls.ts'
import { FluxError } from '#flux/errors.ts'
import { countHosts, expandHosts } from '#flux/sets/hostlist.ts'
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import {
  countIds,
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  idsBetween,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'

/** Rank i is the pod of index i, except for some ranks of other clusters. */
export interface PodRanks {
  readonly kind: 'known'
  /**
   * Ranks whose hosts are no pods of the MiniCluster (bursting): not ours to count, to end or to drain. Those too that have left
   * R since, as a rank does that is excluded while a job runs there.
   */
  readonly bursted: Idset
  /** The first and the last of their hosts; empty if there are none. */
  readonly burstedHosts: readonly string[]
  /** Why the hosts do not show which rank is which pod; `undefined` if they do. Then rank i is taken for the pod of index i. */
  readonly unchecked: string | undefined
}

/** Every rank is the pod of its index. */
export const ALL_PODS: PodRanks = {
  kind: 'known',
  bursted: EMPTY_IDSET,
  burstedHosts: [],
  unchecked: undefined,
}

/** The ranks that are known to be of other clusters. */
export function burstedIn(pods: PodRanks | Unknown): Idset {
  return isUnknown(pods) ? EMPTY_IDSET : pods.bursted
}

/** The hosts of ranks: the n-th host of all hostlists together is that of the n-th rank. */
export interface RankHosts {
  readonly hostlists: readonly string[]
  /** Default: one for each host, from 0 on. */
  readonly ranks?: Idset | undefined
}

/** More than three times the largest tested instance. They are created in some ten milliseconds. */
const MAX_HOSTS = 2 ** 15

/**
 * Checks that rank i is the pod of index i. An Indexed Job loses its highest indices: where a rank is another pod, no size says
 * which ranks stay, and the answer is unknown.
 *
 * A pod's host is `{name}-{index}`, in any case, with or without a domain. Hosts that do not show any pod prove nothing: if
 * R names none, if none of them is a pod of the MiniCluster, or if all ranks are on one host (`flux start --test-size`).
 */
export function podRanks(name: string, { hostlists, ranks }: RankHosts): PodRanks | Unknown {
  const hosts = hostsOf({ hostlists, ranks })
  if (isUnknown(hosts)) return hosts
  if (hosts.length === 0) return { ...ALL_PODS, unchecked: 'R names no hosts' }
  if (hosts.length > 1 && hosts.every((host) => host === hosts[0])) {
    return { ...ALL_PODS, unchecked: `every rank of R is on host ${hosts[0]}` }
  }
  const bursted: number[] = []
  const burstedHosts: string[] = []
  let misplaced: Unknown | undefined
  for (const [position, rank] of listIds(ranks ?? idsBetween(0, hosts.length)).entries()) {
    const host = hosts[position] ?? ''
    if (host === `${name}-${rank}`) continue
    const index = podIndex(host, name.toLowerCase())
    if (index === undefined) {
      bursted.push(rank)
      burstedHosts.push(host)
    }
    // Rank 0 is the lead broker's, beside which we run.
    if (index === undefined ? rank === 0 : index !== rank) {
      misplaced ??= describeMisplaced(name, rank, host)
    }
  }
  if (bursted.length === hosts.length) {
    return { ...ALL_PODS, unchecked: `R names no host ${name}-0, ${name}-1, …` }
  }
  if (misplaced !== undefined) return misplaced
  const first = burstedHosts.slice(0, 1)
  const last = burstedHosts.slice(1).slice(-1)
  return { ...ALL_PODS, bursted: idsetOf(bursted), burstedHosts: [...first, ...last] }
}

/** The hosts in the order of the ranks; unknown if there is not one for each rank. */
function hostsOf({ hostlists, ranks }: RankHosts): readonly string[] | Unknown {
  try {
    const count = hostlists.reduce((sum, list) => sum + countHosts(list), 0)
    if (count === 0) return []
    const expected = ranks === undefined ? count : countIds(ranks)
    if (count > MAX_HOSTS) {
      return unknown(`R names ${count} hosts: which rank is which pod is not known`)
    }
    if (count !== expected) {
      return unknown(
        `R names ${count} hosts for ${expected} ranks: which rank is which pod is not known`,
      )
    }
    return hostlists.flatMap((list) => expandHosts(list))
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    return unknown(
      `the hosts in R cannot be read, so which rank is which pod is not known: ${error.message}`,
    )
  }
}

/** The index of a pod of the MiniCluster; `undefined` for any other host. */
function podIndex(host: string, name: string): number | undefined {
  const [label = ''] = host.toLowerCase().split('.', 1)
  if (!label.startsWith(`${name}-`)) return undefined
  const index = label.slice(name.length + 1)
  // Kubernetes writes indices without leading zeros.
  return /^(0|[1-9][0-9]{0,8})$/.test(index) ? Number(index) : undefined
}

function describeMisplaced(name: string, rank: number, host: string): Unknown {
  return unknown(
    `rank ${rank} is on host ${host}, not in pod ${name}-${rank}, so a size does not say which ranks stay: ` +
      `list the pods ${name}-[0-…] first and in their order in the hosts of Flux (spec.flux.bursting.hostlist or ` +
      'spec.flux.brokerConfig)',
  )
}

/** Does it once for each R: hosts change only with R. */
export class PodRankCheck {
  readonly #name: string | undefined
  #last: { readonly key: string; readonly pods: PodRanks | Unknown } | undefined
  #bursted: Idset = EMPTY_IDSET

  /** @param name of the MiniCluster; `undefined`: every rank is taken for a pod */
  constructor(name: string | undefined) {
    this.#name = name
  }

  of({ all, hostlists }: Pick<SchedStatus, 'all' | 'hostlists'>): PodRanks | Unknown {
    if (this.#name === undefined) return ALL_PODS
    const ranks = ranksOf(all)
    const key = [formatIdset(ranks), ...hostlists].join(' ')
    if (this.#last?.key === key) return this.#last.pods
    const pods = this.#remember(podRanks(this.#name, { hostlists, ranks }), ranks)
    this.#last = { key, pods }
    return pods
  }

  #remember(pods: PodRanks | Unknown, ranks: Idset): PodRanks | Unknown {
    if (isUnknown(pods)) return pods
    this.#bursted = unionIdsets(pods.bursted, subtractIdsets(this.#bursted, ranks))
    return { ...pods, bursted: this.#bursted }
  }
}
