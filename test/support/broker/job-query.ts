// Reads the filter of a `job-list.list` request: the older form with masks, and the constraint of RFC 43 and RFC 31.
import { ERRNO } from '#flux/errors.ts'
import { EMPTY_IDSET, hasId, parseIdset, unionIdsets } from '#flux/sets/idset.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'
import { JOB_RESULTS, JOB_STATES, type Job } from '#simulation/jobs/job.ts'
import { RpcError } from './method.ts'

export type JobFilter = (job: Job) => boolean

/** The `userid` that means "any user". */
const ANY_USER = 0xffffffff

const VIRTUAL_STATES = { PENDING: 14, RUNNING: 48, ACTIVE: 62 } as const
const STATE_MASKS: ReadonlyMap<string, number> = new Map(
  Object.entries({ ...JOB_STATES, ...VIRTUAL_STATES }),
)
const RESULT_MASKS: ReadonlyMap<string, number> = new Map([
  ['COMPLETED', JOB_RESULTS.successful],
  ['FAILED', JOB_RESULTS.failed],
  ['CANCELED', JOB_RESULTS.canceled],
  ['TIMEOUT', JOB_RESULTS.timeout],
])

/** @throws RpcError for a request with a missing key or an invalid constraint */
export function parseQuery(
  args: JsonObject,
  options: { readonly hasConstraint: boolean; readonly owner: number },
): JobFilter {
  const { owner } = options
  if (options.hasConstraint && isJsonObject(args.constraint)) {
    return parseConstraint(args.constraint, owner)
  }
  const userid = numberArg(args, 'userid')
  const states = numberArg(args, 'states')
  const results = numberArg(args, 'results')
  const { name, queue } = args
  return (job) =>
    (userid === ANY_USER || userid === owner) &&
    (states === 0 || (states & JOB_STATES[job.state]) !== 0) &&
    (results === 0 || (results & resultOf(job)) !== 0) &&
    (name === undefined || name === job.name) &&
    (queue === undefined || queue === job.queue)
}

/** @throws RpcError if `key` is missing, with the text of a real broker */
export function numberArg(args: JsonObject, key: string): number {
  const value = args[key]
  if (typeof value === 'number') return value
  throw new RpcError(ERRNO.EPROTO, `invalid payload: Object item not found: ${key}`)
}

/** All operators of one object must match. An empty object matches every job. */
function parseConstraint(constraint: JsonObject, owner: number): JobFilter {
  const filters = Object.entries(constraint).map(([operator, values]) => {
    if (!Array.isArray(values)) throw invalid('operator values not an array')
    return parseOperator(operator, values, owner)
  })
  return (job) => filters.every((matches) => matches(job))
}

function parseOperator(operator: string, values: readonly unknown[], owner: number): JobFilter {
  const parse = (value: unknown): JobFilter => {
    if (!isJsonObject(value)) throw invalid('constraint not an object')
    return parseConstraint(value, owner)
  }
  switch (operator) {
    case 'and':
      return every(values.map(parse))
    case 'or':
      return some(values.map(parse))
    case 'not': {
      const matches = every(values.map(parse))
      return (job) => !matches(job)
    }
    case 'userid':
      return () => values.includes(owner) || values.includes(ANY_USER)
    case 'name':
      return ({ name }) => values.includes(name)
    case 'queue':
      return ({ queue }) => values.includes(queue)
    case 'states': {
      const mask = maskOf(values, STATE_MASKS)
      return ({ state }) => (mask & JOB_STATES[state]) !== 0
    }
    case 'results': {
      const mask = maskOf(values, RESULT_MASKS)
      return (job) => (mask & resultOf(job)) !== 0
    }
    case 'ranks': {
      const ranks = values.map(String).map(parseIdset).reduce(unionIdsets, EMPTY_IDSET)
      return ({ allocations }) => allocations.some(({ node }) => hasId(ranks, node.rank))
    }
    default:
      // Real brokers also have operators for hosts and times. They are not simulated.
      throw invalid(`unknown constraint operator: ${operator}`)
  }
}

function every(filters: readonly JobFilter[]): JobFilter {
  return (job) => filters.every((matches) => matches(job))
}

function some(filters: readonly JobFilter[]): JobFilter {
  return (job) => filters.some((matches) => matches(job))
}

function maskOf(values: readonly unknown[], names: ReadonlyMap<string, number>): number {
  return values.reduce<number>((mask, value) => {
    const bits = typeof value === 'string' ? names.get(value.toUpperCase()) : value
    if (typeof bits !== 'number') throw invalid(`invalid state or result: ${String(value)}`)
    return mask | bits
  }, 0)
}

function resultOf({ state, result }: Job): number {
  return state === 'INACTIVE' && result !== undefined ? JOB_RESULTS[result] : 0
}

function invalid(why: string): RpcError {
  return new RpcError(ERRNO.EPROTO, `invalid payload: constraint object invalid: ${why}`)
}
