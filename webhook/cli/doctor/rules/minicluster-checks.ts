// The MiniCluster itself: whether it asks for metrics, whether its operator follows it, and settings that defeat autoscaling. Most
// of it is said in admission's own words. Pure.
import { adviseOnKueueOf } from '../../../admission/advice/kueue-advice.ts'
import { adviseOnSpec } from '../../../admission/advice/spec-advice.ts'
import { decide } from '../../../admission/decision.ts'
import { readAnnotations, readEnabled, warnOfOurs } from '../../../objects/annotations.ts'
import { isRunning } from '../../../objects/minicluster.ts'
import { isGoing } from '../../../objects/pod.ts'
import { refusalOf } from '../../input/files/minicluster-source.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import type { FoundMiniCluster, MiniClusterFacts } from '../facts/minicluster-facts.ts'
import { knownOf } from '../facts/reading.ts'
import { type Code, type Finding, finding, splitCure } from '../finding.ts'
import { surroundingsOf } from './surroundings.ts'

export const MINICLUSTER_CHECKS: readonly Check[] = [
  {
    name: 'minicluster',
    scope: 'minicluster',
    needs: ['api-server'],
    examine: ({ minicluster }) => presenceVerdict(minicluster),
  },
  {
    name: 'annotations',
    scope: 'minicluster',
    needs: ['minicluster'],
    examine: annotationVerdict,
  },
  { name: 'operator', scope: 'minicluster', needs: ['minicluster'], examine: operatorVerdict },
  {
    name: 'settings',
    scope: 'minicluster',
    needs: ['minicluster'],
    examine: ({ minicluster }) => settingsVerdict(minicluster),
  },
]

export function spellMiniCluster({ namespace, name }: MiniClusterFacts): string {
  return `MiniCluster ${namespace}/${name}`
}

function presenceVerdict(facts: MiniClusterFacts): Verdict {
  const { found, operatorApi, namespace, name } = facts
  const subject = spellMiniCluster(facts)
  const fine = `${subject} is there, and runs`
  if (found.kind === 'unread') return verdict(fine, [], [found])
  if (found.kind === 'absent') {
    if (operatorApi.kind === 'absent') {
      const message = 'the cluster has no MiniClusters at all: the Flux Operator is not installed'
      const fix = 'install the Flux Operator, or choose another cluster with --context'
      return verdict(fine, [finding('operator-absent', { subject, message, fix })])
    }
    const message = 'it is not there'
    const fix = `compare name and namespace: kubectl get miniclusters -n ${namespace}`
    return verdict(fine, [finding('minicluster-absent', { subject, message, fix })])
  }
  const { minicluster } = found.value
  const scope = `-n ${namespace} ${name}`
  if (isGoing(minicluster)) {
    const message = 'it is being deleted'
    const fix = 'wait for its end, and delete its HPA'
    return verdict(fine, [finding('minicluster-going', { subject, message, fix, isEnd: true })])
  }
  const hasConditions = (minicluster.status?.conditions ?? []).length > 0
  const hasEnded = knownOf(facts.job)?.hasEnded === true
  if (hasEnded || (hasConditions && !isRunning(minicluster))) {
    const message = 'its Job has ended: it has no lead broker and no metrics any more'
    const fix = `delete it and its HPA: kubectl delete minicluster ${scope}`
    return verdict(fine, [finding('minicluster-finished', { subject, message, fix, isEnd: true })])
  }
  return verdict(fine, [])
}

function annotationVerdict(facts: Facts): Verdict {
  const { minicluster } = facts
  const subject = spellMiniCluster(minicluster)
  const fine = 'its annotations ask for metrics, and all are used'
  const found = knownOf(minicluster.found)
  if (found === undefined) return verdict(fine, [], [minicluster.found])
  const { metadata, spec } = found.minicluster
  const both = [spec?.pod?.annotations, metadata.annotations] as const
  const { settings, warnings } = readAnnotations(...both)
  const { namespace, name } = minicluster
  if (settings.enabled !== true) {
    const isOff = readEnabled(metadata.annotations) === false || settings.enabled === false
    const message = `annotation flux-metrics/enabled is ${isOff ? '"false"' : 'not set'}: it has no metrics`
    const fix = `kubectl annotate minicluster -n ${namespace} ${name} flux-metrics/enabled=true --overwrite; if it runs already, create its index-0 pod again after that, which ends its jobs`
    return verdict(fine, [finding('not-enabled', { subject, message, fix })])
  }
  const lead = knownOf(minicluster.lead)
  // Of a pod more is known: its UID, its mesh, its containers.
  const unusable =
    lead === undefined
      ? warnings
      : decide(lead.pod, surroundingsOf(facts), {
          hasAuthority: true,
          knowsFrontProxy: true,
        }).warnings
  return verdict(
    fine,
    [...unusable, ...warnOfOurs(...both)].map((warning) =>
      finding('annotation', {
        subject,
        ...splitCure(
          warning,
          'correct or remove the annotation: docs/reference/ANNOTATIONS.md has those that there are',
        ),
      }),
    ),
  )
}

function operatorVerdict({ minicluster }: Facts): Verdict {
  const subject = spellMiniCluster(minicluster)
  const fine = 'the Flux Operator follows its size'
  const found = knownOf(minicluster.found)
  if (found === undefined) return verdict(fine, [], [minicluster.found])
  const { size } = found.source.spec
  const refusal = refusalOf(found.source)
  if (refusal !== undefined) {
    return verdict(fine, [
      finding('operator-refuses', {
        subject,
        message: `the Flux Operator does nothing for it any more: ${refusal}`,
        fix:
          `set spec.size to ${allowedSize(found.source, minicluster)}, and keep the HPA within its bounds: ` +
          `kubectl edit minicluster -n ${minicluster.namespace} ${minicluster.name}`,
      }),
    ])
  }
  const { job } = minicluster
  if (job.kind === 'unread') return verdict(fine, [], [job])
  const seeLog = 'see the log of the Flux Operator (namespace operator-system), and whether it runs'
  if (job.kind === 'absent') {
    const message = 'the Flux Operator has not made its Job'
    return verdict(fine, [finding('job-absent', { subject, message, fix: seeLog })])
  }
  const { completions } = job.value
  if (completions !== size) {
    const message = `spec.size is ${size}, and the Flux Operator keeps its Job at ${completions}: if it stays so, nothing scales`
    return verdict(fine, [finding('operator-behind', { subject, message, fix: seeLog })])
  }
  return verdict(fine, staleStatus(found, subject))
}

/** The size that its Job has keeps all of its pods; a smaller one ends the jobs on the highest of them. */
function allowedSize(
  { spec: { minSize, maxSize } }: FoundMiniCluster['source'],
  { job }: MiniClusterFacts,
): string {
  const least = Math.max(1, minSize)
  const completions = knownOf(job)?.completions
  const isAllowed =
    completions !== undefined && completions >= least && (maxSize === 0 || completions <= maxSize)
  if (isAllowed) return `${completions}, the size that its Job has`
  const most = maxSize === 0 ? 'its first size' : maxSize
  return `what is within ${least} to ${most} (a smaller size than now ends the jobs on the nodes that go)`
}

/** For AverageValue an HPA divides by `status.size`. */
function staleStatus(
  { source, statusSize }: FoundMiniCluster,
  subject: string,
): readonly Finding[] {
  const { size } = source.spec
  if (statusSize === 0 || statusSize === size) return []
  return [
    finding('status-size', {
      subject,
      message:
        `status.size is ${statusSize} and spec.size ${size}: if it stays so, an HPA takes ${statusSize} for the present size ` +
        'and may keep a size below the metric',
      fix: 'set tolerance 0 in the HPA, and restart the Flux Operator, which writes status.size at the next resize',
    }),
  ]
}

function settingsVerdict(facts: MiniClusterFacts): Verdict {
  const subject = spellMiniCluster(facts)
  const fine = 'its scheduler, hosts, sizes and queue suit autoscaling'
  const found = knownOf(facts.found)
  if (found === undefined) return verdict(fine, [], [facts.found])
  const { scheduler, bursting, size, kueue } = adviseOnSpec(found.minicluster)
  // Its Job says more: Kueue adds labels, and somebody may have added the annotation.
  const job = knownOf(facts.job)
  const of = (code: Code, sentences: readonly string[]) =>
    sentences.map((sentence) =>
      finding(code, {
        subject,
        ...splitCure(
          sentence,
          'change the setting, and create the MiniCluster again, which ends its jobs',
        ),
      }),
    )
  return verdict(fine, [
    ...of('no-maximum', size),
    ...of('scheduler', scheduler),
    ...of('bursting', bursting),
    ...of('kueue', job === undefined ? kueue : adviseOnKueueOf(job.metadata)),
  ])
}
