// What a person sees of many MiniClusters at once: a row of each, from its own explanation. One that does not answer has a row with
// the reason. No size depends on it.
import * as v from 'valibot'
import { parseBounded } from '#serving/json-bounds.ts'
import { StatusError } from '#serving/status.ts'
import { printable, shorten } from '#serving/text.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import type { RequestShare } from './request-budget.ts'

/** More are counted, not asked: the command shows those of a namespace alone. */
export const MAX_ROWS = 250

/** Far more than an explanation without details has. */
const MAX_BODY = 64 * 1024

const MAX_VALUES = 5_000

const MAX_TEXT = { characters: 200 }

const Text = v.pipe(
  v.string(),
  v.transform((text) => printable(shorten(text, MAX_TEXT))),
)

const Count = v.nullable(v.number())

/** As docs/reference/NOTICES.md has them; of a later sidecar there may be others. */
const Code = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,63}$/))

const ExplanationSchema = v.object({
  summary: Text,
  desired: Count,
  present: v.number(),
  floor: Count,
  pending: v.nullable(v.object({ jobs: v.number(), isCut: v.boolean() })),
  warnings: v.array(Text),
  unknowns: v.array(Text),
  /** Codes that cannot be read are missing; the rest of the row is not. */
  notices: v.fallback(v.optional(v.array(v.object({ code: Code, text: Text })), []), []),
})

/** What the list has of one MiniCluster. */
export type OverviewRow = MiniClusterName &
  (
    | {
        readonly summary: string
        readonly desired: number | null
        readonly present: number
        readonly floor: number | null
        /** Jobs that wait for nodes; `null` if they are not known, or too many to list. */
        readonly pending: number | null
        /** How many warnings and unknown values there are, and the first of them. */
        readonly problems: number
        readonly problem: string | null
        /** The code of that one; `null` if a sidecar of an older release gives none. */
        readonly problemCode: string | null
      }
    /** Why nothing is known of it. */
    | { readonly reason: string }
  )

/** The answer, as JSON. */
export interface Overview {
  readonly miniclusters: readonly OverviewRow[]
  /** How many more there are. */
  readonly more: number
}

export interface Asked {
  readonly share: RequestShare
  /** For the explanation in JSON. */
  readonly ask: (name: MiniClusterName) => Promise<SidecarAnswer>
}

/** Asks the first of them, all at once. */
export async function overviewOf(
  names: readonly MiniClusterName[],
  { share, ask }: Asked,
): Promise<Overview> {
  const asked = [...names].sort(byName).slice(0, MAX_ROWS)
  const rows = asked.map(async (name): Promise<OverviewRow> => {
    try {
      const answer = await ask(name)
      share.take(answer.body.length)
      return rowIn(name, answer)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return withoutNumbers(name, error.message)
    }
  })
  return { miniclusters: await Promise.all(rows), more: names.length - asked.length }
}

/** What askers at once were given is the same object, and its row is the same: reading it takes a millisecond. */
const readRows = new WeakMap<SidecarAnswer, OverviewRow>()

function rowIn(name: MiniClusterName, answer: SidecarAnswer): OverviewRow {
  const row = readRows.get(answer) ?? rowOf(name, answer.body)
  readRows.set(answer, row)
  return row
}

function rowOf(name: MiniClusterName, body: string): OverviewRow {
  const result = v.safeParse(ExplanationSchema, parse(body))
  if (!result.success) return withoutNumbers(name, 'its sidecar did not answer an explanation')
  const { summary, desired, present, floor, pending, warnings, unknowns, notices } = result.output
  const [problem = null] = [...warnings, ...unknowns]
  const problemCode = notices.find(({ text }) => text === problem)?.code ?? null
  return {
    ...namesIn(name),
    ...{ summary, desired, present, floor, problem, problemCode },
    pending: pending === null || pending.isCut ? null : pending.jobs,
    problems: warnings.length + unknowns.length,
  }
}

function withoutNumbers(name: MiniClusterName, reason: string): OverviewRow {
  return { ...namesIn(name), reason: shorten(reason, { characters: 2 * MAX_TEXT.characters }) }
}

function namesIn({ namespace, minicluster }: MiniClusterName): MiniClusterName {
  return { namespace, minicluster }
}

function parse(body: string): unknown {
  if (body.length > MAX_BODY) return undefined
  const json = parseBounded(body, { maxValues: MAX_VALUES })
  return json.kind === 'parsed' ? json.value : undefined
}

function byName(one: MiniClusterName, other: MiniClusterName): number {
  return compare(one.namespace, other.namespace) || compare(one.minicluster, other.minicluster)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
