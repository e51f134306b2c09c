// Asks the authority (the webhook) over HTTPS for a certificate and the CAs to trust, and checks the form of the answer.
// Keeps nothing: identity.ts does.
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { readBoundedText } from '#serving/bounded-text.ts'
import { shorten } from '#serving/text.ts'
import { TLS_POLICY } from '#serving/tls-policy.ts'
import { unreachable } from './unreachable.ts'

const CALL_TIMEOUT_MS = 5_000

/** An answer is a certificate and a few authorities: 5 KiB. */
const MAX_ANSWER_BYTES = 256 * 1024

/** A sentence of the webhook has a tenth of this. What is longer is not for the log. */
const MAX_MESSAGE = 1_000

/** A successful answer of the authority. */
export interface Grant {
  /** PEM of the certificate, with those that lead to it from older CAs; `undefined` if the request did not ask for one. */
  readonly certificate: string | undefined
  /** PEM of the project's CA certificates, which verify the authority itself. */
  readonly ca: string
  /** The clients to answer: their CAs (PEM) and common names (an empty list is any name). */
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

export interface AuthorityRequest {
  /** URL of the webhook, `https://NAME.NAMESPACE.svc`. */
  readonly url: string
  /** PEM of the CA certificates that verify the webhook. */
  readonly ca: string
  readonly token: string
  /** PEM of a certificate request; `undefined` to ask only for the CAs. */
  readonly csr: string | undefined
  readonly signal: AbortSignal
}

/**
 * Asks once.
 *
 * @throws Error that says why there is no answer, or why the answer is invalid
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
    throw new Error(
      `the authority answered ${response.statusCode}: ${shorten(message, { characters: MAX_MESSAGE })}`,
    )
  }
  return toGrant(answer)
}

interface Post {
  readonly ca: string
  readonly token: string
  readonly body: string
  readonly signal: AbortSignal
}

/** Follows no redirect: the token is for the authority only. */
async function post(url: URL, { ca, token, body, signal }: Post): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call = request(url, {
    method: 'POST',
    ca,
    ...TLS_POLICY,
    agent: false,
    signal,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    },
  })
  call.once('response', resolve)
  call.on('error', (cause) => reject(unreachable(url.host, cause)))
  call.end(body)
  return promise
}

async function readText(response: IncomingMessage): Promise<string> {
  const text = await readBoundedText(response, MAX_ANSWER_BYTES).catch((cause: unknown) => {
    throw new Error('the answer of the authority is not complete', { cause })
  })
  if (text !== undefined) return text
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

/** Checks PEM. An invalid certificate would stop the server, or make it refuse every client. */
function pem(value: unknown, place: string): string {
  if (typeof value !== 'string') throw unexpected(`PEM at "${place}"`)
  try {
    return new X509Certificate(value) && value
  } catch (cause) {
    throw new Error(`the answer of the authority has no certificate at "${place}"`, { cause })
  }
}

function unexpected(expected: string): Error {
  return new Error(`the answer of the authority is invalid: expected ${expected}`)
}
