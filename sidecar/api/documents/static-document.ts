// Documents that are encoded once and sent often. Their ETag is a hash of their bytes, so that every replica and every
// start of one version has the same tag.
import { createHash } from 'node:crypto'
import type { Context } from 'koa'

export interface StaticDocument {
  readonly contentType: string
  readonly body: string
  /** SHA-256 of the body, upper-case hexadecimal. */
  readonly hash: string
}

export function createDocument(content: object, contentType = 'application/json'): StaticDocument {
  const body = JSON.stringify(content)
  const hash = createHash('sha256').update(body).digest('hex').toUpperCase()
  return { contentType, body, hash }
}

/** Answers with the document. */
export function sendDocument(ctx: Context, { contentType, body }: StaticDocument): void {
  ctx.set('Content-Type', contentType)
  ctx.body = body
}

/**
 * Answers with the document and its ETag, or with 304 if the client has it already. For paths whose clients keep tags, as
 * the aggregator does for `/apis` and `/openapi/v2`.
 */
export function sendTaggedDocument(ctx: Context, document: StaticDocument): void {
  const etag = `"${document.hash}"`
  ctx.set('ETag', etag)
  if (isKnown(etag, ctx.get('If-None-Match'))) ctx.status = 304
  else sendDocument(ctx, document)
}

/** `If-None-Match` (RFC 9110 §13.1.2): `*`, or tags, weak ones included. */
function isKnown(etag: string, header: string): boolean {
  return header.split(',').some((tag) => {
    const candidate = tag.trim().replace(/^W\//, '')
    return candidate === etag || candidate === '*'
  })
}
