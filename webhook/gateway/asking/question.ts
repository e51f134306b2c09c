// What a sidecar is asked: with which headers, and which questions are the same.
import { USER_HEADER } from '#api/reader.ts'
import type { MiniClusterName } from '../peers/peer.ts'

export interface Question extends MiniClusterName {
  /** Path and query as the sidecar serves them; canonical, so that equal questions are equal texts. */
  readonly path: string
  /** The value of `Accept`. */
  readonly accept?: string
  /** The HPA controller, if it asks: a sidecar takes note of what an HPA has read. */
  readonly user?: string
  /** The time until which an answer is wanted, in milliseconds of `performance.now()`. */
  readonly deadline: number
}

/** The same for questions that one answer may answer. */
export function keyOf(question: Question): string {
  const { namespace, minicluster, path, user = '', accept = '*/*' } = question
  // Only the last part may contain spaces.
  return [namespace, minicluster, path, user, accept].join(' ')
}

/** @param version of the gateway */
export function headersOf(
  { accept = '*/*', user }: Question,
  version: string,
): Readonly<Record<string, string>> {
  const headers = { accept, 'user-agent': `flux-metrics-gateway/${version}` }
  return user === undefined ? headers : { ...headers, [USER_HEADER]: user }
}
