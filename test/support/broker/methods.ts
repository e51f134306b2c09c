// Finds the method of a topic, or the error of a real broker in the current state of the instance.
import { ERRNO } from '#flux/errors.ts'
import { CORE_METHODS } from './core-methods.ts'
import { JOB_METHODS } from './job-methods.ts'
import { type BrokerState, type Method, ROLE, RpcError } from './method.ts'
import { RESOURCE_METHODS } from './resource-methods.ts'

const METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries({ ...CORE_METHODS, ...RESOURCE_METHODS, ...JOB_METHODS }),
)

/** Services that answer with an error for an unknown method. */
const SERVICES: ReadonlySet<string> = new Set([...METHODS.keys()].map(serviceOf))

/** The states of `state-machine.get`, in order. The states after `run` belong to the shutdown. */
const PHASES = [
  'none',
  'load-builtins',
  'join',
  'config-sync',
  'init',
  'quorum',
  'run',
  'cleanup',
  'shutdown',
  'finalize',
  'goodbye',
  'unload-builtins',
  'exit',
] as const
export type Phase = (typeof PHASES)[number]

/**
 * The method that answers on `rank`.
 *
 * @throws RpcError
 */
export function findMethod(topic: string, rank: number, broker: BrokerState): Method {
  const method = METHODS.get(topic)
  checkPhase(topic, method, broker)
  const isHome = rank === 0 || method?.home === 'every' || method?.home === 'broker'
  if (method !== undefined && isHome && method.exists?.(broker) !== false) return method
  const service = serviceOf(topic)
  const hasService = SERVICES.has(service) && (service !== 'sched' || broker.scheduler !== 'none')
  throw new RpcError(
    ERRNO.ENOSYS,
    hasService && rank === 0 && !(service === 'sched' && broker.phase === 'quorum')
      ? `Unknown service method '${topic}'`
      : `No service matching ${topic} is registered`,
  )
}

/** @throws RpcError if a guest calls a method that is for the owner only */
export function checkOwner(method: Method, rolemask: number, broker: BrokerState): void {
  if (rolemask & ROLE.owner || method.ownerOnly?.(broker) !== true) return
  throw new RpcError(ERRNO.EPERM, 'Request requires owner credentials')
}

function checkPhase(topic: string, method: Method | undefined, { phase }: BrokerState): void {
  const builtin = serviceOf(topic) === 'attr' || serviceOf(topic) === 'state-machine'
  switch (phase) {
    case 'none':
    case 'load-builtins':
    case 'join':
    case 'config-sync':
      if (builtin) return
      throw new RpcError(ERRNO.EAGAIN, 'Upstream Flux broker is offline. Try again later.')
    case 'init':
      if (method?.home === 'broker' || topic === 'broker.ping') return
      throw new RpcError(ERRNO.ENOSYS, `No service matching ${topic} is registered`)
    case 'finalize':
    case 'goodbye':
    case 'unload-builtins':
    case 'exit':
      throw new RpcError(ERRNO.ENOSYS, `No service matching ${topic} is registered`)
    default:
      return
  }
}

function serviceOf(topic: string): string {
  const dot = topic.lastIndexOf('.')
  return dot < 0 ? topic : topic.slice(0, dot)
}
