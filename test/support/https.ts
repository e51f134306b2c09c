// Requests over TLS for tests: any method and headers, with or without a client certificate. Over TCP alone on request.
import { request as requestPlainly } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import type { KeyPair } from './certificates.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Sends a request to a server on this machine, which is not verified. Without an agent each request has a new connection. */
export async function ask(
  port: number,
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly client?: KeyPair | undefined
    readonly agent?: Agent
    readonly body?: string
    /** Whether the server has no TLS. */
    readonly plain?: boolean
    /** The address of the client, of this machine. */
    readonly localAddress?: string
  } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { client, agent, body, plain = false, ...rest } = options
  const settings: RequestOptions = {
    host: '127.0.0.1',
    port,
    path,
    rejectUnauthorized: false,
    agent: plain ? false : (agent ?? new Agent({ keepAlive: false, maxCachedSessions: 0 })),
    ...rest,
    ...(client === undefined ? {} : client),
  }
  const asked = (plain ? requestPlainly : request)(settings, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).toString('utf8'),
      }),
    )
  })
  asked.on('error', reject)
  asked.end(body)
  return promise
}
