// The HPA that uses a metric, as YAML with comments. On another metric than the size that the jobs need it scales beside that one,
// because an HPA takes the larger of two: alone it might end running jobs. Pure.
import { METRICS } from '#metrics/catalog.ts'
import { commentsOn } from '../hpa/hpa-comments.ts'
import {
  type Choices,
  metricFor,
  obstacleTo,
  type RecommendedHpa,
  recommendHpa,
} from '../hpa/recommended-hpa.ts'
import type { MiniClusterSource } from '../input/files/minicluster-source.ts'
import { type Comment, formatCommented } from '../output/commented-yaml.ts'
import type { HpaState } from './data.ts'

export interface SnippetSource {
  readonly apiVersion: string
  readonly minicluster: MiniClusterSource
  readonly choices: Choices
}

/** The recommended HPA uses one of them alone. */
const RECOMMENDED: readonly string[] = ['node_desired_count', 'node_desired_compensated_count']

export function hpaFor(
  metric: string,
  { apiVersion, minicluster, choices }: SnippetSource,
): HpaState {
  const obstacle = obstacleTo(minicluster)
  if (obstacle !== undefined) return { kind: 'unknown', reason: obstacle.problem }
  const role = METRICS.get(metric)?.role
  if (role === 'supply') {
    const reason = `there is none: ${metric} counts what there is, and not what jobs need, so an HPA on it follows itself`
    return { kind: 'unknown', reason }
  }
  const hpa = recommendHpa(apiVersion, minicluster, choices)
  const comments = commentsOn(minicluster, choices)
  if (RECOMMENDED.includes(metric)) {
    return { kind: 'known', yaml: formatCommented(hpa, comments) }
  }
  const second = [...comments, ...commentsOnSecond(metricFor(choices), role === 'size')]
  return { kind: 'known', yaml: formatCommented(withMetric(hpa, metric), second) }
}

function withMetric({ spec, ...rest }: RecommendedHpa, name: string): RecommendedHpa {
  const second = spec.metrics.flatMap((metric) =>
    metric.type === 'Object' ? [{ ...metric, object: { ...metric.object, metric: { name } } }] : [],
  )
  return { ...rest, spec: { ...spec, metrics: [...spec.metrics, ...second] } }
}

function commentsOnSecond(first: string, isSize: boolean): readonly Comment[] {
  const object = ['spec', 'metrics', 1, 'object']
  return [
    {
      path: [...object, 'metric', 'name'],
      text: `Beside ${first}, because an HPA takes the larger size of two metrics: alone this metric might end running jobs.`,
    },
    {
      path: [...object, 'target', 'averageValue'],
      text: isSize
        ? 'The metric is a size, too.'
        : 'How much of the metric one node is worth: change it.',
    },
  ]
}
