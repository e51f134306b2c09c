// The explanation of a sidecar as JSON, checked: sidecars of several releases answer, and the gateway adds to what they say.
import * as v from 'valibot'
import { parseIdset } from '#flux/sets/idset.ts'
import { printable } from '#serving/text.ts'
import { describeIssue } from '../files/issues.ts'

const Count = v.nullable(v.number())

/** Terminals and the page show it. Jobs, queues, drains and metrics have the names and reasons that users give them. */
export const Shown = v.pipe(v.string(), v.transform(printable))

const Ranks = v.pipe(
  v.string(),
  v.check((text) => isIdset(text), 'an idset such as 0-3,7'),
)

function isIdset(text: string): boolean {
  try {
    parseIdset(text)
    return true
  } catch {
    return false
  }
}

/** What each state of a rank means is in sidecar/explaining/rank-states.ts. A later release may have more states. */
const RanksSchema = v.array(v.object({ state: Shown, ranks: Ranks }))

const PendingJobSchema = v.object({
  id: Shown,
  user: Count,
  queue: v.nullable(Shown),
  waitedSeconds: Count,
  waitsFor: Shown,
  ranks: v.nullable(Ranks),
  text: Shown,
})

const RunningJobSchema = v.object({
  id: Shown,
  user: Count,
  ranks: Ranks,
  endsInSeconds: Count,
})

const Series = v.array(Count)

const HistorySchema = v.pipe(
  v.object({
    stepSeconds: v.number(),
    at: v.array(v.number()),
    present: Series,
    desired: Series,
    floor: Series,
    demand: Series,
    running: Series,
    pending: Series,
    events: v.array(v.object({ at: v.number(), kind: Shown, text: Shown })),
  }),
  v.check(
    ({ at, events: _, stepSeconds: __, ...series }) =>
      Object.values(series).every(({ length }) => length === at.length),
    'columns of one length',
  ),
)

const MetricSchema = v.object({
  name: Shown,
  help: Shown,
  unit: Shown,
  value: Count,
  reason: v.nullable(Shown),
})

/** A sentence, and its code if the program that wrote it gives one (docs/reference/NOTICES.md). */
export interface ReadNotice {
  readonly text: string
  /** `null`: of a release that wrote no codes. A later release may have more codes than are known here. */
  readonly code: string | null
}

const NoticeSchema = v.object({ kind: Shown, code: Shown, text: Shown })

const ExplanationObject = v.object({
  summary: Shown,
  takenAt: v.pipe(v.string(), v.isoTimestamp()),
  ageSeconds: v.number(),
  desired: Count,
  present: v.number(),
  floor: Count,
  demand: Count,
  maximum: Count,
  pending: v.nullable(v.object({ jobs: v.number(), isCut: v.boolean() })),
  drains: v.optional(v.array(v.object({ ranks: Ranks, reason: Shown, isOwn: v.boolean() })), []),
  reasons: v.array(Shown),
  warnings: v.array(Shown),
  unknowns: v.array(Shown),
  notices: v.fallback(v.optional(v.array(NoticeSchema), []), []),
  /** Sidecars before 0.2 do not send them. */
  jobs: v.optional(v.nullable(v.object({ first: v.array(PendingJobSchema), more: v.number() }))),
  ranks: v.optional(RanksSchema),
  running: v.optional(
    v.nullable(v.object({ listed: v.array(RunningJobSchema), areAll: v.boolean() })),
  ),
  history: v.optional(HistorySchema),
  metrics: v.optional(v.array(MetricSchema)),
})

/**
 * Codes are found by the sentences: a gateway of another release than the sidecar adds sentences to the lists and no codes, or the
 * other way round.
 */
const ExplanationSchema = v.pipe(
  ExplanationObject,
  v.transform(({ notices, reasons, warnings, unknowns, ...rest }) => {
    const codes = new Map(notices.map(({ kind, code, text }) => [`${kind} ${text}`, code]))
    const withCodes = (kind: string, texts: readonly string[]): readonly ReadNotice[] =>
      texts.map((text) => ({ text, code: codes.get(`${kind} ${text}`) ?? null }))
    return {
      ...rest,
      reasons: withCodes('reason', reasons),
      warnings: withCodes('warning', warnings),
      unknowns: withCodes('unknown', unknowns),
    }
  }),
)

/** An explanation, as far as the command line shows it. */
export type ReadExplanation = v.InferOutput<typeof ExplanationSchema>

/** What to say if somebody else answers, such as a proxy with its own page. */
export const NO_EXPLANATION =
  'the answer is no explanation: is this the API server, or the sidecar?'

/** Whether a JSON value is one that has members. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @returns a sentence if the text is no explanation */
export function readExplanation(text: string): ReadExplanation | string {
  const value = parseJson(text)
  if (!isObject(value)) return NO_EXPLANATION
  const result = v.safeParse(ExplanationSchema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  return `unexpected answer of the sidecar: ${v.getDotPath(issue)}: ${describeIssue(issue)}`
}

/** @returns `undefined` if the text is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
