// Asks several sidecars under one deadline and puts their lists together. All of them answer, or the error names who did not: a
// shorter list would be a smaller number.
import { StatusError, unavailable } from '#serving/status.ts'
import { shorten } from '#serving/text.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'

/** More failures are counted, not quoted. */
const MAX_QUOTED = 3
const MAX_QUOTE = 200
const MAX_NAMED = 20

/**
 * Asks all of them at once.
 *
 * @returns the items of their lists, in the order of `names`
 * @throws StatusError 404 if all say that there is no such metric; otherwise 503 that names who did not answer
 */
export async function askEach<Name extends MiniClusterName>(
  names: readonly Name[],
  ask: (name: Name) => Promise<SidecarAnswer>,
): Promise<readonly unknown[]> {
  const answers = await Promise.allSettled(names.map(async (name) => itemsOf(await ask(name))))
  const failures = answers.flatMap((answer, index) => {
    const name = names[index]
    return answer.status === 'rejected' && name !== undefined
      ? [{ name, error: asStatus(answer.reason) }]
      : []
  })
  if (failures.length > 0) throw failureOf(failures, names.length)
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}

interface Failure {
  readonly name: MiniClusterName
  readonly error: StatusError
}

function failureOf(failures: readonly Failure[], asked: number): StatusError {
  const [first] = failures
  if (first === undefined) throw new Error('Cannot say what failed: nothing did')
  if (asked === 1) return first.error
  const isMissing = failures.length === asked && failures.every(({ error }) => error.code === 404)
  if (isMissing) return first.error
  const names = failures
    .slice(0, MAX_NAMED)
    .map(({ name }) => `${name.namespace}/${name.minicluster}`)
  const more = failures.length - names.length
  const list = more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
  const quotes = failures
    .slice(0, MAX_QUOTED)
    .map(({ error }) => shorten(error.message, { characters: MAX_QUOTE }))
  return unavailable(
    `Cannot answer for ${asked} MiniClusters: ${failures.length} did not answer (${list}): ${quotes.join('; ')}`,
  )
}

function asStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  throw error
}

/** The items of a MetricValueList or ExternalMetricValueList. What a sidecar sent was checked when it came. */
function itemsOf({ body }: SidecarAnswer): readonly unknown[] {
  const list: unknown = JSON.parse(body)
  if (typeof list === 'object' && list !== null && 'items' in list && Array.isArray(list.items))
    return list.items
  throw unavailable('a sidecar answered without a list')
}
