// What the metrics API answers about one MiniCluster: its explanation, or where the user may not read that, a metric.

import * as v from 'valibot'
import { MINICLUSTERS, type Version, versionPath } from '#api/api-group.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import type { ShortGroup } from '../../../gateway/shortage/shortage.ts'
import { sentencesOf } from '../../../gateway/shortage/words.ts'
import type { ClusterObject } from '../../../kubernetes/objects.ts'
import { type ReadExplanation, readExplanation } from '../../input/explanation.ts'
import type { Api } from './api.ts'
import type { MiniClusterName } from './minicluster-facts.ts'
import { type Reading, read, senseless } from './reading.ts'

/** An explanation. */
export interface FluxFacts {
  readonly explanation: ReadExplanation
  /** Those of its warnings that the gateway added, about pods that are not there. */
  readonly podSentences: readonly string[]
}

export interface MetricsFacts {
  readonly flux: Reading<FluxFacts>
  /** The metric that HPAs follow. Read only if the explanation could not be. */
  readonly metric: Reading<unknown>
}

/** The metric that is recommended for HPAs. */
const METRIC = 'node_desired_count'

/** @param version the one that HPAs use */
export async function readMetrics(
  api: Api,
  { namespace, name }: MiniClusterName,
  version: Version,
): Promise<MetricsFacts> {
  const object = `${versionPath(version)}/namespaces/${namespace}/${MINICLUSTERS}/${name}`
  const what = `${MINICLUSTERS}/${EXPLAIN} of ${namespace}/${name}`
  const answer = await api.object(`${object}/${EXPLAIN}`, what)
  if (answer.kind === 'read') {
    const flux = toFlux(answer.value, what)
    return { flux, metric: flux.kind === 'read' ? read(answer.value) : flux }
  }
  const isForbidden = answer.kind === 'unread' && answer.isForbidden
  const metric = isForbidden
    ? await api.object(`${object}/${METRIC}`, `${MINICLUSTERS}/${METRIC} of ${namespace}/${name}`)
    : answer
  return { flux: answer, metric }
}

function toFlux(value: ClusterObject, what: string): Reading<FluxFacts> {
  const explanation = readExplanation(JSON.stringify(value))
  if (typeof explanation === 'string') return senseless(what, explanation)
  return read({ explanation, podSentences: podSentencesIn(value) })
}

const PodsSchema = v.object({
  pods: v.object({
    readAt: v.string(),
    size: v.number(),
    unavailable: v.number(),
    short: v.array(
      v.object({
        kind: v.picklist([
          'unscheduled',
          'refused',
          'missing',
          'not-starting',
        ] satisfies readonly ShortGroup['kind'][]),
        ranks: v.string(),
        since: v.nullable(v.string()),
        causes: v.array(v.string()),
      }),
    ),
  }),
})

/** The gateway writes the same twice: as data, and as sentences among the warnings of the sidecar. */
function podSentencesIn(value: ClusterObject): readonly string[] {
  const parsed = v.safeParse(PodsSchema, value)
  if (!parsed.success) return []
  const { readAt, short, ...pods } = parsed.output.pods
  return sentencesOf({
    ...pods,
    readAt: Date.parse(readAt),
    groups: short.map(({ ranks, since, ...group }) => ({
      ...group,
      ranks: parseIdset(ranks),
      since: since === null ? undefined : Date.parse(since),
    })),
  })
}
