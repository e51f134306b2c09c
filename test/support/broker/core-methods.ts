// The methods of the broker itself: attributes, state, configuration, groups, overlay network, events.
import { ERRNO } from '#flux/errors.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import { formatHosts } from './hosts.ts'
import { formatIds } from './ids.ts'
import { always, type BrokerState, type Methods, RpcError, Stream, stringArg } from './method.ts'
import { overlayHealth } from './overlay-health.ts'

export const CORE_METHODS: Methods = {
  'attr.get': {
    home: 'broker',
    answer: (call, broker) => {
      const value = attributes(broker, call.rank)[stringArg(call, 'name')]
      if (value === undefined) throw new RpcError(ERRNO.ENOENT)
      return { value, flags: 1 }
    },
  },
  'attr.list': {
    home: 'broker',
    answer: ({ rank }, broker) => ({ names: Object.keys(attributes(broker, rank)) }),
  },
  'broker.ping': {
    home: 'every',
    answer: ({ args, client, userid, rolemask, rank }, { uuid }) => {
      const hops = [client.uuid, uuid, ...(rank === 0 ? [] : [`rank${rank}`.padStart(8, '0')])]
      const route = hops.map((hop) => hop.slice(0, 8)).join('!')
      return { ...args, route, userid, rolemask, rank }
    },
  },
  'state-machine.get': {
    home: 'broker',
    answer: (_, { phase, phaseSince, instance }) => ({
      state: phase,
      duration: Math.max(0, instance.now - phaseSince) / 1000,
    }),
  },
  'config.get': { home: 'broker', answer: (_, broker) => configuration(broker) },
  'groups.get': {
    home: 'lead',
    answer: (call, { instance }) => {
      const name = stringArg(call, 'name')
      return call.streaming ? watchGroup(instance, name) : groupOf(instance, name)
    },
  },
  'overlay.health': {
    home: 'every',
    answer: ({ rank }, { instance, fanout, release }) =>
      overlayHealth(instance, { rank, fanout, hasErrors: release.has('wideOverlay') }),
  },
  // The modules of Fluxion: the other schedulers do not have them.
  'sched-fluxion-qmanager.params': {
    home: 'lead',
    exists: ({ scheduler }) => scheduler === 'fluxion',
    answer: () => ({ params: { 'queue-policy': 'fcfs', 'queue-params': '', 'policy-params': '' } }),
  },
  'sched-fluxion-resource.params': {
    home: 'lead',
    exists: ({ scheduler }) => scheduler === 'fluxion',
    ownerOnly: always,
    answer: (_, { config }) => ({ params: fluxionMatching(config) }),
  },
  'event.subscribe': {
    home: 'broker',
    answer: (call) => {
      call.client.subscribe(stringArg(call, 'topic'))
      return undefined
    },
  },
  'event.unsubscribe': {
    home: 'broker',
    answer: (call) => {
      call.client.unsubscribe(stringArg(call, 'topic'))
      return undefined
    },
  },
}

function attributes(broker: BrokerState, rank: number): Readonly<Record<string, string>> {
  const { instance, path, owner, release, quorum } = broker
  const ranks = instance.nodes.map((node) => node.rank)
  return {
    'broker.quorum': `${quorum}`,
    'broker.pid': `${process.pid}`,
    'broker.starttime': (instance.startedAt / 1000).toFixed(2),
    hostlist: formatHosts(instance, ranks),
    hostname: instance.nodes[rank]?.host ?? '',
    'instance-level': '0',
    'local-uri': `local://${path}`,
    rank: `${rank}`,
    rundir: path.slice(0, path.lastIndexOf('/')),
    'security.owner': `${owner}`,
    size: `${instance.nodes.length}`,
    version: release.version,
  }
}

/** Fluxion's defaults, changed by the configuration. */
function fluxionMatching(config: JsonObject): JsonObject {
  const table = config['sched-fluxion-resource']
  const { 'match-policy': policy = 'first', 'prune-filters': filters = 'ALL:core,ALL:node' } =
    isJsonObject(table) ? table : {}
  return { policy, 'prune-filters': filters }
}

function configuration({ instance, config }: BrokerState): JsonObject {
  const { nodes, queues } = instance
  const hosts = (ranks: readonly number[]) => formatHosts(instance, ranks)
  const excluded = nodes.filter((node) => node.excluded).map(({ rank }) => rank)
  const [node] = nodes
  const all = {
    hosts: hosts(nodes.map(({ rank }) => rank)),
    cores: node?.cores.text,
    ...(node?.gpus.size ? { gpus: node.gpus.text } : {}),
  }
  const ofQueues = [...queues.values()].map((queue) => ({
    hosts: hosts(queue.nodes.map(({ rank }) => rank).sort((a, b) => a - b)),
    properties: [queue.name],
  }))
  return {
    resource: {
      noverify: true,
      norestrict: true,
      ...(excluded.length > 0 && { exclude: formatIds(excluded) }),
      config: [all, ...ofQueues],
    },
    ...(queues.size > 0 && {
      queues: Object.fromEntries([...queues.keys()].map((name) => [name, { requires: [name] }])),
    }),
    ...config,
  }
}

/** Only `broker.online` has members in the simulation. */
function groupOf(instance: Instance, name: string): JsonObject {
  return { members: name === 'broker.online' ? formatIds(instance.online) : '' }
}

function watchGroup(instance: Instance, name: string): Stream {
  return new Stream((push) => {
    let last = groupOf(instance, name)
    push(last)
    const onChange = () => {
      const group = groupOf(instance, name)
      if (group.members !== last.members) push(group)
      last = group
    }
    instance.on('nodes', onChange)
    return () => instance.off('nodes', onChange)
  })
}
