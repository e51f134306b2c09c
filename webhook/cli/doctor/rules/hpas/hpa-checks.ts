// The HPAs of a MiniCluster: how many there are, what they ask for, whether they may, and what Kubernetes says of them. Pure.
import { EXTERNAL_GROUP, GROUP } from '#api/api-group.ts'
import { METRICS } from '#metrics/catalog.ts'
import { readAnnotations } from '../../../../objects/annotations.ts'
import { conditionOf } from '../../../../objects/conditions.ts'
import { isMiniCluster } from '../../../../objects/minicluster.ts'
import type { ReadExplanation } from '../../../input/cluster/explanation.ts'
import { type Hpa, spellHpa } from '../../../input/cluster/hpa.ts'
import { spellRivals } from '../../../input/cluster/hpa-rivals.ts'
import { type Check, type Verdict, verdict } from '../../check.ts'
import type { Facts } from '../../facts/facts.ts'
import { CONTROLLER_ROLE } from '../../facts/hpa-facts.ts'
import { knownOf, senseless, type Unread } from '../../facts/reading.ts'
import { type Finding, finding, isBroken } from '../../finding.ts'
import { spellMiniCluster } from '../minicluster-checks.ts'
import { BEHAVIOR_RULES } from './behavior-rules.ts'
import type { HpaRule } from './hpa-rule.ts'
import { deletionOfHpas, KEDA_RULES, mendedInScaledObject } from './keda.ts'
import { METRIC_RULES } from './metric-rules.ts'
import { OVERFLOW_RULE } from './overflow-rule.ts'
import { sharedPods } from './shared-pods.ts'
import { SIZE_RULES } from './size-rules.ts'

/** To add a rule about single HPAs, add it to one of these. */
const RULES: readonly HpaRule[] = [
  ...SIZE_RULES,
  ...METRIC_RULES,
  OVERFLOW_RULE,
  ...BEHAVIOR_RULES,
  ...KEDA_RULES,
]

export const HPA_CHECKS: readonly Check[] = [
  { name: 'hpas', scope: 'minicluster', needs: ['minicluster'], examine: countVerdict },
  { name: 'hpa-settings', scope: 'minicluster', needs: ['minicluster'], examine: settingsVerdict },
  { name: 'hpa-rights', scope: 'minicluster', needs: ['api-server'], examine: rightsVerdict },
  {
    name: 'hpa-conditions',
    scope: 'minicluster',
    needs: ['hpas', 'operator', 'metrics', 'external-metrics', 'hpa-rights'],
    examine: conditionsVerdict,
  },
]

/** The HPAs that scale a MiniCluster, or mean to: those of another kind with its name, which follow its metrics. */
export function hpasOf({ autoscaling: { hpas }, minicluster }: Facts): readonly Hpa[] {
  const { name } = minicluster
  return (knownOf(hpas) ?? []).filter(({ spec }) => {
    const { kind, name: scaled } = spec.scaleTargetRef
    if (scaled !== name) return false
    const follows = (spec.metrics ?? []).some(({ object }) => {
      return object?.describedObject.kind === 'MiniCluster' && object.describedObject.name === name
    })
    return kind === 'MiniCluster' || follows
  })
}

function countVerdict(facts: Facts): Verdict {
  const { hpas } = facts.autoscaling
  const fine = 'no two HPAs scale it'
  if (hpas.kind !== 'read') return verdict(fine, [], [hpas])
  const ours = hpasOf(facts)
  const subject = spellMiniCluster(facts.minicluster)
  const { namespace, name } = facts.minicluster
  if (ours.length === 0) {
    const message = 'no HPA scales it'
    const fix = `kubectl get minicluster -n ${namespace} ${name} -o yaml | flux-metrics hpa | kubectl apply -f -`
    return verdict(fine, [finding('hpa-none', { subject, message, fix, isEnd: true })])
  }
  // One that scales something else is no rival: its own mistake is told.
  const rivals = ours.filter(({ spec }) => isMiniCluster(spec.scaleTargetRef))
  if (rivals.length < 2) return verdict(fine, [])
  const names = rivals.map(({ metadata }) => metadata.name)
  const message = `${spellRivals(rivals)} (${names.join(', ')})`
  const fix = `delete all but one: ${deletionOf(rivals, facts)}`
  return verdict(fine, [finding('hpa-several', { subject, message, fix })])
}

/** The one that stays alone decides on the size: one with mistakes may end jobs. */
function deletionOf(hpas: readonly Hpa[], facts: Facts): string {
  const isKnown = knownOf(facts.minicluster.found) !== undefined
  const kept = hpas.find((hpa) => {
    return isKnown && mistakesOf(hpa, facts).every(({ level }) => level === 'info')
  })
  const { namespace } = facts.minicluster
  if (kept === undefined) {
    return `keep one that follows node_desired_count, because another may end jobs: kubectl delete hpa -n ${namespace} NAME`
  }
  return deletionOfHpas(
    hpas.filter((hpa) => hpa !== kept),
    namespace,
  )
}

const NONE = 'there is no HPA of which it could be said'

function settingsVerdict(facts: Facts): Verdict {
  const { hpas } = facts.autoscaling
  const { found } = facts.minicluster
  const ours = hpasOf(facts)
  const fine = ours.length === 0 ? NONE : 'the settings of its HPA suit it'
  return verdict(
    fine,
    ours.flatMap((hpa) => mistakesOf(hpa, facts)),
    [hpas, found],
  )
}

function mistakesOf(hpa: Hpa, { version, minicluster, metrics }: Facts): readonly Finding[] {
  const found = knownOf(minicluster.found)
  if (found === undefined) return []
  const { metadata, spec } = found.minicluster
  const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  const surroundings = {
    minicluster: found.source,
    version: knownOf(version),
    values: valuesOf(knownOf(metrics.flux)),
    hasUserMetrics: settings.metricsConfig !== undefined,
    drains: settings.drain === true,
  }
  return RULES.flatMap((rule) => rule(hpa, surroundings)).map((one) =>
    mendedInScaledObject(one, hpa),
  )
}

function valuesOf(explanation: ReadExplanation | undefined): ReadonlyMap<string, number> {
  const known = (explanation?.metrics ?? []).flatMap(({ name, value }) =>
    value === null ? [] : [[name, value] as const],
  )
  return new Map(known)
}

const ROLE_CURE = `restore ClusterRole ${CONTROLLER_ROLE} and its binding: API servers write them when they start, unless rbac.authorization.kubernetes.io/autoupdate is "false"`

/** What Kubernetes says when RBAC refuses the HPA's controller. */
const FORBIDDEN = /is forbidden: User "/

function rightsVerdict(facts: Facts): Verdict {
  const { hpas, readableGroups } = facts.autoscaling
  const ours = hpasOf(facts)
  const fine = "the HPA's controller may read metrics"
  const refused = ours.flatMap((hpa) => {
    const condition = conditionOf(conditionsOf(hpa), 'ScalingActive')
    return FORBIDDEN.test(condition?.message ?? '')
      ? [{ hpa, words: condition?.message ?? '' }]
      : []
  })
  if (refused.length > 0) {
    return verdict(
      fine,
      refused.map(({ hpa, words }) =>
        finding('hpa-forbidden', {
          subject: spellHpa(hpa),
          message: `its controller may not read the metric: ${words}`,
          fix: ROLE_CURE,
        }),
      ),
    )
  }
  if (ours.length === 0) return verdict(NONE, [], [hpas])
  if (readableGroups.kind === 'unread') return verdict(fine, [], [readableGroups])
  const wanted = ours.some(isExternal) ? [GROUP, EXTERNAL_GROUP] : [GROUP]
  const groups = knownOf(readableGroups) ?? []
  const lacking = wanted.filter((group) => !groups.includes(group))
  if (lacking.length === 0) return verdict(fine, [])
  return verdict(fine, [
    finding('hpa-rights', {
      subject: `ClusterRole ${CONTROLLER_ROLE}`,
      message: `it does not allow to read all of ${lacking.join(' and ')}: unless another role does, HPAs get no metrics`,
      fix: ROLE_CURE,
    }),
  ])
}

/** Whether it follows an external metric of ours. */
export function isExternal({ spec }: Hpa): boolean {
  return (spec.metrics ?? []).some(({ external }) => METRICS.has(external?.metric.name ?? ''))
}

function conditionsVerdict(facts: Facts): Verdict {
  const { hpas } = facts.autoscaling
  const fine = 'its HPA has its metric, and scales'
  const judged = hpasOf(facts).filter((hpa) => !mistakesOf(hpa, facts).some(isBroken))
  const readings = [hpas, ...judged.flatMap(unjudged)]
  return verdict(judged.length === 0 ? NONE : fine, judged.flatMap(troublesOf), readings)
}

/** Whether an HPA has its metric is not known before its controller has said it. */
function unjudged(hpa: Hpa): readonly Unread[] {
  const { status } = conditionOf(conditionsOf(hpa), 'ScalingActive') ?? {}
  if (status === 'True' || troublesOf(hpa).length > 0) return []
  const why = 'the controller has not said yet whether it has its metric; it looks every 15 s'
  return [senseless(`the condition ScalingActive of ${spellHpa(hpa)}`, why)]
}

/** One that cannot scale has not asked for its metric: what it says of that is old. */
function conditionsOf({ status }: Hpa) {
  const conditions = status?.conditions ?? []
  const unable = conditions.find((is) => is.type === 'AbleToScale' && is.status === 'False')
  return unable === undefined ? conditions : [unable]
}

/** Conditions that say why an HPA does not do what is wanted. */
function troublesOf(hpa: Hpa): readonly Finding[] {
  const subject = spellHpa(hpa)
  const { namespace, name } = hpa.metadata
  const fix = `see kubectl describe hpa -n ${namespace} ${name}; it asks again every 15 s`
  return conditionsOf(hpa).flatMap((condition) => {
    const { type, status, reason, message: words } = condition
    const message = `${reason}: ${words}`
    if (type === 'ScalingActive' && status === 'False') {
      return [sharedPods(condition, hpa) ?? finding('hpa-failing', { subject, message, fix })]
    }
    if (type === 'AbleToScale' && status === 'False') {
      return [finding('hpa-unable', { subject, message, fix })]
    }
    if (type !== 'ScalingLimited' || status !== 'True' || reason !== 'TooManyReplicas') return []
    const cure =
      'raise maxReplicas, and spec.maxSize of the MiniCluster, if jobs may have more nodes'
    return [finding('hpa-at-maximum', { subject, message, fix: cure })]
  })
}
