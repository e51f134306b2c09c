// What an answer of a sidecar becomes for whoever asked the gateway: the answer itself, or an error with the sidecar's own words.
// Only JSON and plain text come out, and a redirect never. Pure.
import { isUtf8 } from 'node:buffer'
import { parseBounded } from '#serving/json-bounds.ts'
import { StatusError, unavailable } from '#serving/status.ts'
import { printable, quote, shorten } from '#serving/text.ts'
import type { RawAnswer } from '../connections/exchange.ts'
import { AskError } from './ask-error.ts'
import type { AnswerType, SidecarAnswer } from './sidecar-answer.ts'

/** The sentences of a sidecar have less. */
const MAX_MESSAGE = 2_000

/** Keys and values of a Status, with its details. */
const MAX_STATUS_VALUES = 1_000

const TYPES: ReadonlyMap<string, AnswerType> = new Map([
  ['application/json', 'application/json'],
  ['text/plain', 'text/plain; charset=utf-8'],
])

interface Versions {
  /** Of the webhook that injected the sidecar. */
  readonly sidecar: string
  readonly gateway: string
}

/**
 * @param about opens the sentence of an error: `MiniCluster ns/name`
 * @throws AskError for anything but a whole answer of a known type
 */
export function judge(about: string, answer: RawAnswer, versions: Versions): SidecarAnswer {
  const { code, headers, body } = answer
  if (code !== 200) throw errorOf(about, answer, versions)
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  const contentType = TYPES.get(mediaType(type))
  if (contentType === undefined) throw invalid(`${about}: its sidecar answered with ${shown(type)}`)
  if (encoding !== 'identity') {
    throw invalid(`${about}: its sidecar answered with the encoding ${shown(encoding)}`)
  }
  if (!isUtf8(body)) throw invalid(`${about}: its sidecar answered with bytes that are no UTF-8`)
  return { contentType, body: body.toString('utf8') }
}

function errorOf(about: string, answer: RawAnswer, versions: Versions): AskError {
  const { code } = answer
  const status = statusIn(answer)
  if (status === undefined) return invalid(`${about}: its sidecar answered ${code}${hint(code)}`)
  const words = printable(shorten(status.message, { characters: MAX_MESSAGE }))
  const message = `${about}: its sidecar says: ${words}`
  // These two are about the gateway. Whoever asked it has the right to ask, and has not asked too often.
  if (code === 401)
    return new AskError('refused', unavailable(`${message}; ${unknownGateway(versions)}`))
  if (code === 429) return new AskError('refused', unavailable(message))
  return new AskError('refused', new StatusError(code, status.reason, message))
}

function invalid(message: string): AskError {
  return new AskError('invalid', unavailable(message))
}

function unknownGateway({ sidecar, gateway }: Versions): string {
  return (
    'it does not know the gateway yet: a sidecar learns of it within 5 minutes of the webhook. If it stays so, compare the ' +
    `versions (webhook that injected it ${shown(sidecar)}, gateway ${shown(gateway)}) and see the log of the sidecar`
  )
}

function hint(code: number): string {
  return code >= 300 && code < 400 ? ', a redirect, which is not followed' : ''
}

/** The Status of an error; `undefined` if it is none. */
function statusIn({ code, headers, body }: RawAnswer) {
  if (code < 400 || code > 599) return undefined
  if (mediaType(headers['content-type'] ?? '') !== 'application/json') return undefined
  const json = parseBounded(body, { maxValues: MAX_STATUS_VALUES })
  if (json.kind !== 'parsed' || typeof json.value !== 'object') return undefined
  const { kind, message, reason }: Record<string, unknown> = { ...json.value }
  if (kind !== 'Status' || typeof message !== 'string' || typeof reason !== 'string')
    return undefined
  return /^[A-Za-z]{1,64}$/.test(reason) ? { message, reason } : undefined
}

function mediaType(header: string): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}

function shown(text: string): string {
  return printable(quote(text))
}
