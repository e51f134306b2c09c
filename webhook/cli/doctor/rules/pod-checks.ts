// The pods of a MiniCluster: those that are wanted and not there, and what node autoscalers make of the others. Pure.
import { hasId } from '#flux/sets/idset.ts'
import { annotatePods } from '../../../admission/advice/protection-advice.ts'
import type { Shortage, ShortGroup } from '../../../gateway/shortage/shortage.ts'
import { codeOf, sentencesOf } from '../../../gateway/shortage/words.ts'
import { missingProtection, wantsProtection } from '../../../injection/protection.ts'
import { readAnnotations } from '../../../objects/annotations.ts'
import { onSharing } from '../../hpa/node-advice.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import type { MiniClusterFacts } from '../facts/minicluster-facts.ts'
import { knownOf } from '../facts/reading.ts'
import { finding, splitCure } from '../finding.ts'
import { spellMiniCluster } from './minicluster-checks.ts'

export const POD_CHECKS: readonly Check[] = [
  {
    name: 'pods',
    scope: 'minicluster',
    needs: ['minicluster', 'operator'],
    examine: ({ minicluster }) => shortageVerdict(minicluster),
  },
  {
    name: 'protection',
    scope: 'minicluster',
    needs: ['minicluster', 'annotations'],
    examine: protectionVerdict,
  },
  {
    name: 'nodes',
    scope: 'minicluster',
    needs: ['minicluster'],
    examine: ({ minicluster }) => sharingVerdict(minicluster),
  },
]

const CURES: Readonly<Record<ShortGroup['kind'], string>> = {
  unscheduled:
    'give the cluster such nodes, or raise the limits of its node autoscaler (docs/NODE-AUTOSCALERS.md)',
  refused: 'raise what refuses them, such as a ResourceQuota of the namespace',
  missing: 'wait a moment; if it stays so, see the Events of the Job: kubectl describe job',
  'not-starting': 'mend what the kubelet says, such as the image or its pull secret',
}

function shortageVerdict(facts: MiniClusterFacts): Verdict {
  const { shortage } = facts
  const fine = 'all pods of the wanted size are there'
  if (shortage.kind !== 'read') return verdict(fine, [], [shortage])
  const subject = spellMiniCluster(facts)
  // Those with the lead broker's are told by its checks.
  const groups = shortage.value.groups.filter(({ ranks }) => !hasId(ranks, 0))
  return verdict(
    fine,
    groups.map((group) =>
      finding(codeOf(group), {
        subject,
        message: sentenceOf(shortage.value, group),
        fix: CURES[group.kind],
      }),
    ),
  )
}

function sentenceOf(shortage: Shortage, group: ShortGroup): string {
  return sentencesOf({ ...shortage, groups: [group] }).join()
}

function protectionVerdict({ minicluster }: Facts): Verdict {
  const found = knownOf(minicluster.found)
  const areAll = knownOf(minicluster.pods)?.areAll !== false
  const which = areAll ? 'its pods' : 'its first pods, and the others were not looked at,'
  const fine = `node autoscalers leave ${which} where they are, or may move them by its settings`
  if (found === undefined || minicluster.pods.kind !== 'read') {
    return verdict(fine, [], [minicluster.found, minicluster.pods])
  }
  const { metadata, spec } = found.minicluster
  const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  if (!wantsProtection(settings)) return verdict(fine, [])
  const all = minicluster.pods.value.listed
  const exposed = all.filter(
    ({ pod }) => Object.keys(missingProtection(pod.metadata.annotations, settings)).length > 0,
  )
  if (exposed.length === 0) return verdict(fine, [])
  const { name, namespace } = minicluster
  return verdict(fine, [
    finding('pods-unprotected', {
      subject: spellMiniCluster(minicluster),
      message: `node autoscalers may evict ${exposed.length} of its ${areAll ? '' : 'first '}${all.length} pods, which ends their jobs`,
      fix:
        `${annotatePods({ name, namespace })}, again after each growth; for good create the MiniCluster again, which ends its jobs; ` +
        'where nothing scales nodes set flux-metrics/protect=false',
    }),
  ])
}

function sharingVerdict(facts: MiniClusterFacts): Verdict {
  const fine = 'its pods request nodes of their own'
  const found = knownOf(facts.found)
  if (found === undefined) return verdict(fine, [], [facts.found])
  const subject = spellMiniCluster(facts)
  return verdict(
    fine,
    onSharing(found.source).warnings.map((warning) =>
      finding('pods-share-nodes', {
        subject,
        ...splitCure(warning, 'request more than half of a node (docs/NODE-AUTOSCALERS.md)'),
      }),
    ),
  )
}
