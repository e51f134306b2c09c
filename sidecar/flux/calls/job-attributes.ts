// Attributes of jobs as job-list answers them. Each may be left out, and users or old releases may give it another form.
import { FluxError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { numberAt, unexpected } from './answer.ts'

export const JOB_LIST = 'job-list.list'

/** One odd attribute of one job must not hide all jobs. @param tell is told what was expected and found */
export function orUndefined<T>(
  read: () => T,
  tell: (oddity: string) => void = () => {},
): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    tell(error.message)
    return undefined
  }
}

export function idOf({ id }: JsonObject): number | bigint {
  if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) return id
  throw unexpected(JOB_LIST, 'id', 'an integer', id)
}

export function optionalNumber(job: JsonObject, key: string): number | undefined {
  return job[key] === undefined ? undefined : numberAt(job, key, JOB_LIST)
}

/** Some versions write −1 for a count that does not apply. */
export function optionalCount(job: JsonObject, key: string): number | undefined {
  const count = optionalNumber(job, key)
  return count === undefined || count < 0 ? undefined : count
}

export function optionalString(job: JsonObject, key: string): string | undefined {
  const value = job[key]
  if (value === undefined || typeof value === 'string') return value
  throw unexpected(JOB_LIST, key, 'a string', value)
}

/** The scheduler writes the annotations (RFC 27). They can have any form. */
export function estimateOf({ annotations }: JsonObject): number | undefined {
  const sched = isJsonObject(annotations) ? annotations.sched : undefined
  const estimate = isJsonObject(sched) ? sched.t_estimate : undefined
  return typeof estimate === 'number' && Number.isFinite(estimate) ? estimate : undefined
}
