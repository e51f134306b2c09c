// Adds to a sidecar's explanation what Kubernetes says of the pods that are not there. The sidecar may be of another version: what it
// wrote stays as it is.
import { type Notice, notice } from '#explaining/notice.ts'
import { addRows } from '#explaining/text.ts'
import { UNAVAILABLE_NODES } from '#metrics/gateway-metrics.ts'
import { parseBounded } from '#serving/json-bounds.ts'
import { StatusError, unavailable } from '#serving/status.ts'
import { messageOf } from '#serving/text.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import type { Shortage } from '../shortage/shortage.ts'
import { explainShortage, sentencesOf, warningsOf } from '../shortage/words.ts'
import type { RouteOptions } from './routes.ts'

/** A person waits for it, so that it may take longer than a metric. */
const LOOK_MS = 3_000

/** Keys and values of an explanation: that of 5,000 jobs and ranks has fewer. */
const MAX_VALUES = 50_000

/**
 * Waits for the sidecar's explanation and for what is known of its MiniCluster's pods, which are looked at meanwhile.
 *
 * @param asked the question to the sidecar
 * @throws StatusError of the sidecar; a 503 also says which pods are not there, because one of them may be the lead broker's
 */
export async function explainWithPods(
  { shortages }: Pick<RouteOptions, 'shortages'>,
  { namespace, minicluster }: MiniClusterName,
  asked: Promise<SidecarAnswer>,
): Promise<SidecarAnswer> {
  const deadline = performance.now() + LOOK_MS
  const looked = shortages
    .of({ namespace, minicluster }, deadline)
    .catch((error: unknown): StatusError => {
      if (error instanceof StatusError) return error
      throw error
    })
  const [answer, shortage] = await Promise.allSettled([asked, looked])
  if (shortage.status === 'rejected') throw shortage.reason
  if (answer.status === 'fulfilled') return withPods(answer.value, shortage.value)
  throw withReason(answer.reason, shortage.value)
}

function withReason(error: unknown, found: Shortage | StatusError): unknown {
  if (!(error instanceof StatusError) || error.code !== 503) return error
  const sentences = found instanceof StatusError ? [] : sentencesOf(found)
  if (sentences.length === 0) return error
  const message = [error.message, ...sentences].join('; ')
  return new StatusError(error.code, error.reason, message, { cause: error })
}

function withPods(answer: SidecarAnswer, found: Shortage | StatusError): SidecarAnswer {
  const { contentType, body } = answer
  if (contentType !== 'application/json') return { contentType, body: addRows(body, rowsOf(found)) }
  const explanation = objectIn(body)
  return { contentType, body: JSON.stringify({ ...explanation, ...fieldsOf(explanation, found) }) }
}

/** JSON that can be written again. */
function objectIn(body: string): object {
  const json = parseBounded(body, { maxValues: MAX_VALUES })
  if (json.kind === 'parsed' && typeof json.value === 'object' && json.value !== null) {
    return json.value
  }
  const why = json.kind === 'excess' ? json.what : 'it is no JSON object'
  throw unavailable(`Cannot read the explanation of the sidecar: ${why}`)
}

function rowsOf(found: Shortage | StatusError): readonly (readonly [string, string])[] {
  return noticesOf(found).map(({ kind, text }) => [kind, text] as const)
}

/** What the gateway has to say. */
function noticesOf(found: Shortage | StatusError): readonly Notice[] {
  return found instanceof StatusError
    ? [notice('pods-unknown', messageOf(found))]
    : warningsOf(found)
}

/** The same as data, and among the sentences that every reader of an explanation shows. */
function fieldsOf(explanation: object, found: Shortage | StatusError): object {
  const own = noticesOf(found)
  const notices = [...listIn(explanation, 'notices'), ...own]
  const texts = own.map(({ text }) => text)
  if (found instanceof StatusError) {
    return { pods: null, unknowns: [...listIn(explanation, 'unknowns'), ...texts], notices }
  }
  const warnings = [...listIn(explanation, 'warnings'), ...texts]
  const metrics = listIn(explanation, 'metrics').map((metric) => withCount(metric, found))
  return {
    warnings,
    notices,
    ...('metrics' in explanation && { metrics }),
    pods: explainShortage(found),
  }
}

/** The metric that no sidecar has: it lists it without a value. */
function withCount(metric: unknown, { unavailable }: Shortage): unknown {
  if (typeof metric !== 'object' || metric === null) return metric
  const isIt = 'name' in metric && metric.name === UNAVAILABLE_NODES
  return isIt ? { ...metric, value: unavailable, reason: null } : metric
}

function listIn(
  explanation: object,
  key: 'warnings' | 'unknowns' | 'notices' | 'metrics',
): readonly unknown[] {
  const list: unknown = Object.entries(explanation).find(([name]) => name === key)?.[1]
  return Array.isArray(list) ? list : []
}
