// An AdmissionReview (admission.k8s.io/v1): the request's bytes to a value, and answers as the API server wants them.
import * as v from 'valibot'
import { badRequest } from '#serving/status.ts'
import { shorten } from '#serving/text.ts'

export const API_VERSION = 'admission.k8s.io/v1'

/** admission.k8s.io/v1 `AdmissionRequest`, as far as we read it. `object` is whatever the kind says. */
export interface Review {
  readonly uid: string
  readonly operation: string
  /** Kind with its group, `Pod` or `MiniCluster.flux-framework.org`. */
  readonly kind: string
  readonly subResource: string | undefined
  readonly namespace: string
  /** Nothing will be stored: an answer must have no side effects. */
  readonly dryRun: boolean
  readonly object: unknown
  readonly oldObject: unknown
}

/** What is answered: never "no". `patch` is empty for an object that stays as it is. */
export interface Answer {
  readonly patch: readonly object[]
  /** Sentences that the client of the API server shows. */
  readonly warnings: readonly string[]
}

/** The API server cuts longer warnings, and drops all of them if they are too many. */
const MAX_WARNING_LENGTH = 200
const MAX_WARNINGS = 10

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

/**
 * Reads a review.
 *
 * @throws StatusError 400 that says what was expected where; without a `uid` there is no review to answer
 */
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

/** The answer as JSON. Who made the pod is always allowed to: we add metrics, we do not guard. */
export function encodeAnswer(uid: string, { patch, warnings }: Answer): string {
  return JSON.stringify({
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      // A patch type without a patch, or the other way round, is an error to the API server.
      ...(patch.length > 0 && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(warnings.length > 0 && {
        warnings: warnings.slice(0, MAX_WARNINGS).map(fit),
      }),
    },
  })
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw refused(`expected JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function refused(why: string) {
  return badRequest(`Cannot read AdmissionReview: ${why}`)
}

/** Cut to what the API server passes on, with the mark that it was cut. */
function fit(warning: string): string {
  const characters = MAX_WARNING_LENGTH - 1
  return warning.length > MAX_WARNING_LENGTH ? shorten(warning, { characters }) : warning
}
