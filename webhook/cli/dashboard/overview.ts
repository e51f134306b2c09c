// The gateway's list of MiniClusters, checked: gateways of several releases answer.
import * as v from 'valibot'
import { parseJson, Shown } from '../input/cluster/explanation.ts'

const Count = v.nullable(v.number())

const Names = { namespace: Shown, minicluster: Shown }

const RowSchema = v.union([
  v.object({ ...Names, reason: Shown }),
  v.object({
    ...Names,
    summary: Shown,
    desired: Count,
    present: v.number(),
    floor: Count,
    pending: Count,
    problems: v.number(),
    problem: v.nullable(Shown),
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
