// The settings of the simulated broker's pod, from its environment.
import { hostname } from 'node:os'
import { parseIdset } from '#flux/sets/idset.ts'
import type { BrokerOptions, FluxVersion, Scheduler } from '../broker.ts'

export interface Settings {
  /** Rank of this pod. 0 is the lead broker. */
  readonly index: number
  /** Common prefix of the host names: the name of the MiniCluster. */
  readonly name: string
  readonly leadHost: string
  readonly socketPath: string
  readonly maxSize: number
  /** `broker.quorum`. The operator sets it to the `minSize` of the MiniCluster. */
  readonly quorum: number
  readonly coresPerNode: number
  readonly gpusPerNode: number
  readonly queues: Readonly<Record<string, readonly number[]>>
  readonly version: FluxVersion
  readonly scheduler: Scheduler
  readonly role: NonNullable<BrokerOptions['role']>
}

/** The number of nodes of the MiniCluster in test/e2e: its pods have no variables. */
const DEFAULT_MAX_SIZE = '4'

/** @throws Error that names the variable that cannot be used */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const index = numberOf(env, 'JOB_COMPLETION_INDEX', '0')
  const name = hostname().replace(/-[0-9]+$/, '')
  const uri = env.FLUX_URI ?? 'local:///mnt/flux/config/run/flux/local'
  return {
    index,
    name,
    leadHost: env.LEAD_HOST ?? `${name}-0.${name}`,
    socketPath: uri.replace(/^local:\/\//, ''),
    maxSize: numberOf(env, 'MAX_SIZE', DEFAULT_MAX_SIZE),
    quorum: numberOf(env, 'QUORUM', '1'),
    coresPerNode: numberOf(env, 'CORES_PER_NODE', '8'),
    gpusPerNode: numberOf(env, 'GPUS_PER_NODE', '0'),
    queues: queuesOf(env.QUEUES ?? ''),
    version: versionOf(env.FLUX_VERSION ?? '0.88.0'),
    scheduler: oneOf(env, 'SCHEDULER', ['sched-simple', 'fluxion', 'none']),
    role: oneOf(env, 'ROLE', ['guest', 'owner', 'refused']),
  }
}

/** `batch=0-2;debug=3`: queues and their ranks. */
function queuesOf(text: string): Record<string, readonly number[]> {
  const queues: Record<string, readonly number[]> = {}
  for (const part of text.split(';').filter((item) => item !== '')) {
    const [name = '', ranks = ''] = part.split('=')
    queues[name] = ranksOf(ranks)
  }
  return queues
}

/** The ranks of an idset, ascending. */
export function ranksOf(idset: string): readonly number[] {
  return parseIdset(idset).ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  )
}

function versionOf(text: string): FluxVersion {
  const [, minor, patch] = /^0\.([0-9]+)\.([0-9]+)$/.exec(text) ?? []
  if (minor === undefined) throw new Error(`Cannot use FLUX_VERSION "${text}": expected 0.88.0`)
  return `0.${Number(minor)}.${Number(patch)}`
}

function numberOf(env: NodeJS.ProcessEnv, name: string, otherwise: string): number {
  const text = env[name] ?? otherwise
  if (/^[0-9]+$/.test(text)) return Number(text)
  throw new Error(`Cannot use ${name} "${text}": expected a number`)
}

/** The first choice is the default. */
function oneOf<T extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = env[name] ?? choices[0]
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  throw new Error(`Cannot use ${name} "${text}": expected ${choices.join(', ')}`)
}
