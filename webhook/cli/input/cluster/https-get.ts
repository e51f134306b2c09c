// One GET request to a sidecar over TLS, and its answer as text.
import { request } from 'node:https'
import * as v from 'valibot'
import { readBoundedText } from '#serving/bounded-text.ts'
import { TLS_POLICY } from '#serving/tls-policy.ts'
import type { Answer } from './answer.ts'
import { type Patience, spellPatience, within } from './patience.ts'

/** Far more than the longest explanation has. */
const MAX_MIB = 8

export interface GetOptions {
  readonly accept: string
  /** PEM of the CA certificates to trust; `undefined`: those of Node.js. */
  readonly ca: string | undefined
  /** Accept any certificate. */
  readonly insecure: boolean
  readonly patience?: Patience | undefined
}

/** A meta/v1 `Status`, as far as it is shown. */
const StatusSchema = v.looseObject({ kind: v.literal('Status'), message: v.string() })

/** Never rejects: a failure is in the answer. */
export async function httpsGet(url: URL, options: GetOptions): Promise<Answer> {
  const { patience = {} } = options
  try {
    return await within(patience, (signal) => ask(url, options, signal))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { kind: 'failure', reason: reasonOf(error, url.host, patience) }
  }
}

async function ask(
  url: URL,
  { accept, ca, insecure }: GetOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request(
    url,
    {
      headers: { accept },
      ...TLS_POLICY,
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: !insecure,
      signal,
    },
    (response) => {
      readBoundedText(response, MAX_MIB * 2 ** 20).then((body) => {
        const reason = `${url.host} answers more than ${MAX_MIB} MiB: is it a sidecar?`
        const isWhole = body !== undefined
        resolve(isWhole ? toAnswer(response.statusCode, body) : { kind: 'failure', reason })
      }, reject)
    },
  )
  sent.on('error', reject)
  sent.end()
  return promise
}

function toAnswer(code: number | undefined, body: string): Answer {
  if (code === 200) return { kind: 'text', text: body }
  return { kind: 'failure', reason: messageIn(body) ?? `HTTP status ${code}` }
}

function messageIn(body: string): string | undefined {
  try {
    const status: unknown = JSON.parse(body)
    return v.is(StatusSchema, status) ? status.message : undefined
  } catch {
    return undefined
  }
}

/** The certificate is of nobody whom the client knows, or of another host. */
const UNVERIFIED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]

/** If several addresses refuse the connection, the error has no message. */
function reasonOf(error: Error, host: string, patience: Patience): string {
  if (error.name === 'AbortError') return `no answer ${spellPatience(patience)} from ${host}`
  const code = 'code' in error ? String(error.code) : undefined
  if (code !== undefined && UNVERIFIED.includes(code)) {
    return `cannot verify the certificate of the sidecar (${code}): name its CA with --ca, or use --insecure`
  }
  if (code === 'ECONNREFUSED') {
    return `nothing listens at ${host}: is the port right, and does the sidecar run? (${code})`
  }
  return `no connection to ${host}: ${error.message || (code ?? error.name)}`
}
