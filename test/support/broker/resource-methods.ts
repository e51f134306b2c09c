// The methods about nodes: `resource.*` of flux-core, and the scheduler's own `sched.resource-status`.
import { ERRNO, FluxError } from '#flux/errors.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance, NodeChange } from '#simulation/instance.ts'
import { formatHosts, ranksOfHosts } from './hosts.ts'
import { formatIds } from './ids.ts'
import {
  always,
  type BrokerState,
  type Call,
  type Methods,
  type Reply,
  RpcError,
  Stream,
  stringArg,
} from './method.ts'
import { type Author, resourceStatus, schedStatus, wholeSet } from './resource-answers.ts'

export const RESOURCE_METHODS: Methods = {
  'resource.status': {
    home: 'every',
    answer: onLead((_, broker) => {
      if (!hasInventory(broker)) throw new RpcError(ERRNO.ENOENT)
      return resourceStatus(broker.instance, broker.release)
    }),
  },
  'resource.sched-status': {
    home: 'every',
    exists: ({ release }) => release.has('schedStatus'),
    answer: onLead((_, broker) => {
      if (hasInventory(broker)) return schedStatus(broker.instance, 'core')
      const text = 'error preparing response: No such file or directory'
      throw new RpcError(ERRNO.EINVAL, text)
    }),
  },
  'sched.resource-status': {
    home: 'lead',
    // The scheduler is the last module that starts.
    exists: (broker) => broker.scheduler !== 'none' && hasInventory(broker),
    ownerOnly: (broker) => authorOf(broker) === 'python',
    answer: (_, broker) => schedStatus(broker.instance, authorOf(broker)),
  },
  'resource.drain': { home: 'every', ownerOnly: always, answer: onLead(drain) },
  'resource.undrain': { home: 'every', ownerOnly: always, answer: onLead(undrain) },
  'resource.journal': {
    home: 'every',
    ownerOnly: always,
    exists: ({ release }) => release.has('resourceJournal'),
    answer: onLead(({ streaming }, { instance }) => {
      if (!streaming) throw new RpcError(ERRNO.EPROTO)
      return journal(instance)
    }),
  },
  'resource.journal-cancel': {
    home: 'every',
    exists: ({ release }) => release.has('resourceJournal'),
    answer: ({ args, client }) => {
      if (typeof args.matchtag === 'number') client.cancel(args.matchtag)
      return undefined
    },
  },
}

/** The resource module runs on every rank, but answers only on rank 0. */
function onLead(answer: (call: Call, broker: BrokerState) => Reply): typeof answer {
  return (call, broker) => {
    if (call.rank !== 0) throw new RpcError(ERRNO.EPROTO, 'this RPC only works on rank 0')
    return answer(call, broker)
  }
}

/** In the state `quorum` the resource module runs, but has no inventory. */
function hasInventory({ phase }: BrokerState): boolean {
  return phase !== 'quorum'
}

function authorOf({ scheduler, release }: BrokerState): Author {
  if (scheduler === 'fluxion') return 'fluxion'
  return release.has('pythonScheduler') ? 'python' : 'core'
}

function drain(call: Call, { instance }: BrokerState): undefined {
  const ranks = targets(call, instance)
  const { reason, mode } = call.args
  if (mode === undefined) {
    refuse(
      ranks.filter((rank) => instance.nodes[rank]?.drain !== undefined),
      'already drained',
    )
  }
  instance.drain(ranks, typeof reason === 'string' ? reason : undefined)
}

function undrain(call: Call, { instance }: BrokerState): undefined {
  if (call.args.mode !== undefined) throw new RpcError(ERRNO.EINVAL)
  const ranks = targets(call, instance)
  refuse(
    ranks.filter((rank) => instance.nodes[rank]?.drain === undefined),
    'not drained',
  )
  instance.undrain(ranks)
}

/** If one rank is refused, the request changes none. */
function refuse(ranks: readonly number[], why: string): void {
  if (ranks.length === 0) return
  const subject = ranks.length === 1 ? 'rank' : 'ranks'
  throw new RpcError(ERRNO.EEXIST, `${subject} ${formatIds(ranks)} ${why}`)
}

/** `targets` is an idset or a hostlist. */
function targets(call: Call, { nodes }: Instance): readonly number[] {
  const text = stringArg(call, 'targets')
  if (!/^[[\]0-9,-]+$/.test(text)) {
    const ranks = ranksOfHosts(nodes, text)
    if (ranks === undefined) throw new RpcError(ERRNO.EINVAL, `invalid targets: ${text}`)
    return ranks
  }
  try {
    const { ranges } = parseIdset(text)
    if ((ranges.at(-1)?.last ?? 0) < nodes.length) {
      return ranges.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      )
    }
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
  }
  throw new RpcError(ERRNO.EINVAL, 'idset is out of range')
}

/** The history, an empty batch, then each change (RFC 44). */
function journal(instance: Instance): Stream {
  return new Stream((push) => {
    const timestamp = instance.startedAt / 1000
    const ranks = instance.nodes.map(({ rank }) => rank)
    const nodelist = formatHosts(instance, ranks)
    const restart = { ranks: formatIds(ranks), online: '', nodelist }
    const define = { timestamp, name: 'resource-define', context: { method: 'configuration' } }
    push({ events: [{ timestamp, name: 'restart', context: restart }] })
    push({ events: [define], R: wholeSet(instance) })
    const history = instance.changes.map((change) => journalEvent(instance, change))
    if (history.length > 0) push({ events: history })
    push({ events: [] })
    const onChange = (change: NodeChange) => push({ events: [journalEvent(instance, change)] })
    instance.on('nodes', onChange)
    return () => instance.off('nodes', onChange)
  })
}

function journalEvent(instance: Instance, { name, ranks, reason, at }: NodeChange): JsonObject {
  const idset = formatIds(ranks)
  const context =
    name === 'online' || name === 'offline'
      ? { idset }
      : { idset, nodelist: formatHosts(instance, ranks), reason, overwrite: 0 }
  return { timestamp: at / 1000, name, context }
}
