// Asks several sidecars under one deadline and puts their lists together. All of them answer, or the error names who did not: a
// shorter list would be a smaller number.
import { StatusError, unavailable } from '#serving/status.ts'
import { shorten } from '#serving/text.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import type { RequestShare } from './request-budget.ts'

/** More failures are counted, not quoted. */
const MAX_QUOTED = 3
const MAX_QUOTE = 200
const MAX_NAMED = 20

/** For the promises, timers and texts of a question that waits. */
const QUESTION_BYTES = 3 * 1024

export interface Several<Name extends MiniClusterName> {
  readonly names: readonly Name[]
  /** The length of the path and the query of each question. */
  readonly pathLength: number | undefined
  readonly share: RequestShare
  readonly ask: (name: Name) => Promise<SidecarAnswer>
}

/**
 * Asks all of them at once.
 *
 * @returns the items of their lists, in the order of `names`: JSON between the brackets of a list
 * @throws StatusError 404 if all say that there is no such metric; otherwise 503 that names who did not answer
 */
export async function askEach<Name extends MiniClusterName>({
  names,
  pathLength = 0,
  share,
  ask,
}: Several<Name>): Promise<string> {
  // Paths are kept, and compared, as a text for each question.
  share.take(names.length * (QUESTION_BYTES + 2 * pathLength))
  const itemsOfOne = async (name: Name) => {
    const items = itemsOf(await ask(name))
    share.take(items.length)
    return items
  }
  const answers = await Promise.allSettled(names.map(itemsOfOne))
  const failures = answers.flatMap((answer, index) => {
    const name = names[index]
    return answer.status === 'rejected' && name !== undefined
      ? [{ name, error: asStatus(answer.reason) }]
      : []
  })
  if (failures.length > 0) throw failureOf(failures, names.length)
  const texts = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : ''))
  return texts.filter((text) => text !== '').join(',')
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

/**
 * The items of a MetricValueList or ExternalMetricValueList, as a text: objects would take many times the memory. What a sidecar
 * sent was checked when it came.
 */
function itemsOf({ body }: SidecarAnswer): string {
  const list: unknown = JSON.parse(body)
  if (typeof list === 'object' && list !== null && 'items' in list && Array.isArray(list.items))
    return JSON.stringify(list.items).slice(1, -1)
  throw unavailable('a sidecar answered without a list')
}
