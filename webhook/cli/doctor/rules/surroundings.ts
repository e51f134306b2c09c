// What admission would look up for the lead broker's pod, from the facts. What is not known is taken for good: then nothing is
// said against it. Pure.
import type { LookedUp } from '../../../admission/decision.ts'
import { quotaWithout } from '../../../injection/resources/resource-quota.ts'
import { isSince, NATIVE_SIDECARS_SINCE } from '../../../kubernetes/server-version.ts'
import type { Facts } from '../facts/facts.ts'
import { knownOf } from '../facts/reading.ts'

export function surroundingsOf({ version, minicluster }: Facts): LookedUp {
  const { found, policies, lead } = minicluster
  const { limitRanges, quotas } = knownOf(policies) ?? { limitRanges: [], quotas: [] }
  const pod = knownOf(lead)?.pod
  const known = knownOf(version)
  return {
    minicluster: knownOf(found)?.minicluster,
    nativeSidecars: known === undefined || isSince(known, NATIVE_SIDECARS_SINCE),
    policies: {
      limitRanges,
      // The next pod takes the place of this one.
      quotas: pod === undefined ? quotas : quotas.map((quota) => quotaWithout(quota, pod)),
    },
  }
}
