// The lead broker's pod, and whether it has got its sidecar. Pure.
import { hasId } from '#flux/sets/idset.ts'
import { decide, preselect } from '../../../admission/decision.ts'
import { CONTAINER_NAME, INJECTED_ANNOTATION } from '../../../contract.ts'
import { sentencesOf } from '../../../gateway/shortage/words.ts'
import { allContainers, isGoing } from '../../../objects/pod.ts'
import { CREATED_BEFORE, deletePod } from '../../../reconcile/announcement.ts'
import { type Check, certain, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import type { JobPod, MiniClusterFacts } from '../facts/minicluster-facts.ts'
import { knownOf } from '../facts/reading.ts'
import { type Finding, finding } from '../finding.ts'
import { spellMiniCluster } from './minicluster-checks.ts'
import { troubleOf } from './sidecar-check.ts'
import { surroundingsOf } from './surroundings.ts'

export const LEAD_CHECKS: readonly Check[] = [
  {
    name: 'lead-pod',
    scope: 'minicluster',
    needs: ['minicluster', 'operator'],
    examine: ({ minicluster }) => leadVerdict(minicluster),
  },
  {
    name: 'injection',
    scope: 'minicluster',
    needs: [
      'webhook',
      'webhook-service',
      'webhook-pods',
      'webhook-ca',
      'webhook-selectors',
      'annotations',
      'lead-pod',
    ],
    examine: injectionVerdict,
  },
]

function leadVerdict(facts: MiniClusterFacts): Verdict {
  const { lead, shortage, namespace, name } = facts
  const fine = 'the pod of its lead broker is there'
  if (lead.kind === 'unread') return verdict(fine, [], [lead])
  const known = knownOf(shortage)
  const group = known?.groups.find(({ ranks }) => hasId(ranks, 0))
  // A sidecar that keeps the pod from starting is the next check's.
  const isSidecars = lead.kind === 'read' && troubleOf(lead.value) !== undefined
  if (isSidecars || (lead.kind === 'read' && group === undefined)) return verdict(fine, [])
  const ended = completedLeadOf(facts)
  if (ended !== undefined) return verdict(fine, [completedFinding(facts, ended)])
  const [why] =
    known === undefined || group === undefined ? [] : sentencesOf({ ...known, groups: [group] })
  return verdict(fine, [
    finding('lead-pod-absent', {
      subject: spellMiniCluster(facts),
      message: `without its lead broker there are no metrics: ${why ?? 'no pod of index 0 is there'}`,
      fix: `see the Events of the Job and of its pods: kubectl describe job,pods -n ${namespace} -l job-name=${name}`,
    }),
  ])
}

/** The Job controller does not start the index of a completed pod again. */
function completedLeadOf({ pods }: MiniClusterFacts): JobPod | undefined {
  return knownOf(pods)?.listed.find(
    ({ pod }) =>
      preselect(pod).kind === 'candidate' && !isGoing(pod) && pod.status?.phase === 'Succeeded',
  )
}

function completedFinding(facts: MiniClusterFacts, { pod }: JobPod): Finding {
  const { namespace, name } = pod.metadata
  return finding('lead-pod-absent', {
    subject: spellMiniCluster(facts),
    message: `its lead broker has ended: pod ${name} of index 0 is complete, and Kubernetes does not start it again`,
    fix: `see why in its log (kubectl logs -n ${namespace} ${name}), and create the MiniCluster again, which ends its jobs`,
  })
}

/** Whether admission has added the sidecar. */
export function isInjected({ pod }: JobPod): boolean {
  const { annotations } = pod.metadata
  const hasContainer = allContainers(pod).some(({ name }) => name === CONTAINER_NAME)
  return hasContainer && (annotations?.[INJECTED_ANNOTATION] ?? undefined) !== undefined
}

function injectionVerdict(facts: Facts): Verdict {
  const { lead, namespace, policies } = facts.minicluster
  const fine = 'its lead broker has the sidecar'
  if (lead.kind !== 'read') return verdict(fine, [], [lead])
  if (isInjected(lead.value)) return certain(fine)
  const { pod } = lead.value
  const place = { namespace, name: pod.metadata.name ?? '' }
  const subject = `Pod ${place.namespace}/${place.name}`
  const prerequisites = { hasAuthority: true, knowsFrontProxy: true }
  const { decision } = decide(pod, surroundingsOf(facts), prerequisites)
  if (decision.kind === 'skip') {
    const { reason, message: why } = decision
    const message = `it has no sidecar, and would get none now: ${reason}: ${why}`
    const fix = `change that; then ${deletePod(place)}`
    return verdict(fine, [finding('not-injected', { subject, message, fix, reason })])
  }
  const message = `it has no sidecar: ${CREATED_BEFORE}`
  const reason = 'CreatedBefore'
  if (policies.kind !== 'unread') {
    return verdict(fine, [
      finding('not-injected', { subject, message, fix: deletePod(place), reason }),
    ])
  }
  // To create the pod again costs its jobs, and would be for nothing where they refuse it.
  const what = `${message}, or because of the LimitRanges and ResourceQuotas of its namespace, which could not be read`
  const fix = `see that they leave room for it; then ${deletePod(place)}`
  return verdict(
    fine,
    [finding('not-injected', { subject, message: what, fix, reason })],
    [policies],
  )
}
