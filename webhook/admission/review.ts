// The AdmissionReview (admission.k8s.io/v1) of request and answer: bytes to a value, and a value to JSON. Decides nothing.

import * as v from 'valibot'
import { parseBounded } from '#serving/json-bounds.ts'
import { badRequest } from '#serving/status.ts'
import { messageOf, printable, shorten } from '#serving/text.ts'
import { MAX_WARNING_LENGTH, MAX_WARNINGS } from '../contract.ts'

export const API_VERSION = 'admission.k8s.io/v1'

/** The fields of an `AdmissionRequest` (admission.k8s.io/v1) that the webhook reads. */
export interface Review {
  readonly uid: string
  readonly operation: string
  /** The kind with its group, for example `Pod` or `MiniCluster.flux-framework.org`. */
  readonly kind: string
  readonly subResource: string | undefined
  readonly namespace: string
  /** Nothing will be stored: the review must have no side effects. */
  readonly dryRun: boolean
  readonly object: unknown
  readonly oldObject: unknown
}

/** An answer always allows the object. `patch` is empty for an object that stays as it is. */
export interface Answer {
  readonly patch: readonly object[]
  /** Sentences that the client of the API server shows, as {@link fitWarnings} leaves them. */
  readonly warnings: readonly string[]
}

const ReviewSchema = v.object({
  apiVersion: v.literal(API_VERSION),
  kind: v.literal('AdmissionReview'),
  request: v.object({
    uid: v.pipe(v.string(), v.minLength(1)),
    operation: v.string(),
    kind: v.object({ group: v.optional(v.string(), ''), kind: v.string() }),
    subResource: v.optional(v.string()),
    namespace: v.optional(v.string(), ''),
    dryRun: v.optional(v.boolean(), false),
    object: v.optional(v.unknown()),
    oldObject: v.optional(v.unknown()),
  }),
})

/** @throws StatusError 400 that says what was expected, and where */
export function decodeReview(body: Buffer): Review {
  const parsed = v.safeParse(ReviewSchema, parseJson(body))
  if (!parsed.success) {
    const [issue] = parsed.issues
    const path = v.getDotPath(issue) ?? 'the body'
    throw refused(`expected ${issue.expected ?? 'another value'} at "${path}"`)
  }
  const { kind, ...request } = parsed.output.request
  return {
    ...request,
    subResource: request.subResource,
    object: request.object,
    oldObject: request.oldObject,
    kind: kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`,
  }
}

/** The answer as JSON. */
export function encodeAnswer(uid: string, { patch, warnings }: Answer): string {
  return JSON.stringify({
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      // The API server refuses a patch without a patch type, and a patch type without a patch.
      ...(patch.length > 0 && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(warnings.length > 0 && { warnings }),
    },
  })
}

function parseJson(body: Buffer): unknown {
  const json = parseBounded(body)
  if (json.kind === 'parsed') return json.value
  if (json.kind === 'excess') throw refused(`it has ${json.what}`)
  throw refused(`expected JSON: ${messageOf(json.cause)}`)
}

function refused(why: string) {
  return badRequest(`Cannot read AdmissionReview: ${why}`)
}

/** The warnings that the API server passes on. The last one says how many more there are. */
export function fitWarnings(warnings: readonly string[]): readonly string[] {
  if (warnings.length <= MAX_WARNINGS) return warnings.map(fit)
  const shown = warnings.slice(0, MAX_WARNINGS - 1)
  return [...shown.map(fit), `${warnings.length - shown.length} more warnings are not shown`]
}

/** Cuts a warning to the length that the API server passes on, and marks the cut. */
function fit(warning: string): string {
  const characters = MAX_WARNING_LENGTH - 1
  const text = printable(warning)
  return text.length > MAX_WARNING_LENGTH ? shorten(text, { characters }) : text
}
