// Which requests the loopback server answers: GET, with the token in the path, by a browser on this machine that shows our own page.
// Every program and every page on this machine can reach the port. Pure.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A request that is answered: the path below the token, such as `data/list`, and its parameters. */
export interface Admitted {
  readonly path: string
  readonly query: URLSearchParams
}

export interface Refused {
  readonly code: 403 | 404 | 405
  readonly message: string
}

/** Names of this machine as seen from itself. A page of somebody else's host that resolves to it (DNS rebinding) has another. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

const NOT_FOUND: Refused = { code: 404, message: 'not found' }

export interface GuardedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** @param token the first part of the path */
export function admit(
  { method, url = '', headers }: GuardedRequest,
  token: string,
): Admitted | Refused {
  const { host, origin } = headers
  const site = headers['sec-fetch-site']
  if (method !== 'GET') return { code: 405, message: 'only GET is allowed' }
  // A tunnel may have another port, so that only the name is checked.
  const name = host?.replace(/:\d+$/, '') ?? ''
  if (!LOOPBACK.includes(name)) return { code: 403, message: 'this host is not served' }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { code: 403, message: 'other pages are not served' }
  }
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const [, given = '', ...rest] = path.split('/')
  if (!isSame(given, token)) return NOT_FOUND
  // Of other sites, and of other ports of this machine ("same-site"), only a link to the page itself is followed.
  const below = rest.join('/')
  const isOurs = site === undefined || site === 'same-origin' || site === 'none'
  if (!isOurs && below !== '') return NOT_FOUND
  return { path: below, query: new URLSearchParams(query) }
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
