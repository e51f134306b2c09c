// Asks the authority (the webhook) over HTTPS. Knows what an answer looks like, not what it is good for.
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'

const CALL_TIMEOUT_MS = 5_000

/** An answer is a certificate and a few authorities: 5 KiB. */
const MAX_ANSWER_BYTES = 256 * 1024

/** What the authority gives. */
export interface Grant {
  /** PEM of our serving certificate; `undefined` if we did not ask for one. */
  readonly certificate: string | undefined
  /** PEM of the project's authorities: by which the authority itself is known. */
  readonly ca: string
  /** The front proxy, by its authority (PEM) and its common names (none is any). */
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

export interface AuthorityRequest {
  /** Of the webhook, `https://NAME.NAMESPACE.svc`. */
  readonly url: string
  /** PEM of the authorities by which the webhook is known. */
  readonly ca: string
  readonly token: string
  /** PEM of a certificate request, or `undefined` to learn of authorities only. */
  readonly csr: string | undefined
  readonly signal: AbortSignal
}

/**
 * Asks once.
 *
 * @throws Error that says why there is no answer, or why it is no good
 */
export async function askAuthority(options: AuthorityRequest): Promise<Grant> {
  const { url, ca, token, csr, signal } = options
  const response = await post(new URL('/certificates', url), {
    ca,
    token,
    body: JSON.stringify(csr === undefined ? {} : { csr }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
  })
  const answer = parse(await readText(response))
  if (response.statusCode !== 200) {
    const message = typeof answer.message === 'string' ? answer.message : 'no reason given'
    throw new Error(`the authority answered ${response.statusCode}: ${message}`)
  }
  return toGrant(answer)
}

interface Post {
  readonly ca: string
  readonly token: string
  readonly body: string
  readonly signal: AbortSignal
}

/** Redirects are not followed: the token is for the authority's eyes. */
async function post(url: URL, { ca, token, body, signal }: Post): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call = request(url, {
    method: 'POST',
    ca,
    minVersion: 'TLSv1.2',
    agent: false,
    signal,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    },
  })
  call.once('response', resolve)
  call.on('error', (cause) => reject(unreachable(url, cause)))
  call.end(body)
  return promise
}

function unreachable(url: URL, cause: Error): Error {
  const why = cause.name === 'AbortError' ? 'no answer in time' : cause.message
  return new Error(`the authority at ${url.host} cannot be reached: ${why}`, { cause })
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > MAX_ANSWER_BYTES) break
    }
  } catch (cause) {
    throw new Error('the answer of the authority was cut short', { cause })
  }
  if (text.length <= MAX_ANSWER_BYTES) return text
  throw new Error('the answer of the authority is too long')
}

type Fields = Readonly<Record<string, unknown>>

function parse(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error('the answer of the authority is not JSON', { cause })
  }
  return fields(value, 'an object')
}

function toGrant(answer: Fields): Grant {
  const { certificate } = answer
  const header = fields(answer.requestHeader, 'an object at "requestHeader"')
  const names = header.allowedNames
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw unexpected('names at "requestHeader.allowedNames"')
  }
  return {
    certificate: certificate === undefined ? undefined : pem(certificate, 'certificate'),
    ca: pem(answer.ca, 'ca'),
    clientCa: pem(header.clientCa, 'requestHeader.clientCa'),
    allowedNames: names,
  }
}

function fields(value: unknown, expected: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unexpected(expected)
  }
  return { ...value }
}

/** A text that is no certificate would leave us without a server, or with clients that nobody knows. */
function pem(value: unknown, place: string): string {
  if (typeof value !== 'string') throw unexpected(`PEM at "${place}"`)
  try {
    return new X509Certificate(value) && value
  } catch (cause) {
    throw new Error(`the answer of the authority has no certificate at "${place}"`, { cause })
  }
}

function unexpected(what: string): Error {
  return new Error(`the answer of the authority is not as expected: ${what}`)
}
