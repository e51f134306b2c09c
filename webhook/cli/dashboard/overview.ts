// The gateway's list of MiniClusters, checked: gateways of several releases answer.
import * as v from 'valibot'
import { parseJson } from '../input/cluster/explanation.ts'

const Count = v.nullable(v.number())

const Names = { namespace: v.string(), minicluster: v.string() }

const RowSchema = v.union([
  v.object({ ...Names, reason: v.string() }),
  v.object({
    ...Names,
    summary: v.string(),
    desired: Count,
    present: v.number(),
    floor: Count,
    pending: Count,
    problems: v.number(),
    problem: v.nullable(v.string()),
  }),
])

const OverviewSchema = v.object({ miniclusters: v.array(RowSchema), more: v.number() })

export type ReadOverview = v.InferOutput<typeof OverviewSchema>

export type ReadRow = ReadOverview['miniclusters'][number]

/** @returns `undefined` if the text is no list */
export function readOverview(text: string): ReadOverview | undefined {
  const result = v.safeParse(OverviewSchema, parseJson(text))
  return result.success ? result.output : undefined
}
