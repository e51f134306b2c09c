// The answer of the webhook for a pod, by the code of the webhook with the objects of the input as its API server.
import { protectionEvents } from '../../admission/advice/protection-advice.ts'
import { adviseOnSpec, sentencesOf } from '../../admission/advice/spec-advice.ts'
import { decide, preselect } from '../../admission/decision.ts'
import { LookUps, type LookUpsOptions } from '../../admission/look-ups/look-ups.ts'
import { prerequisitesOf } from '../../admission/obstacle.ts'
import { REPAIRED } from '../../admission/outcome.ts'
import type { SidecarOptions } from '../../injection/container.ts'
import { applyTo } from '../../injection/json-patch.ts'
import { patchFor } from '../../injection/patch.ts'
import type { Pod } from '../../objects/pod.ts'
import { asCreated } from './created-pod.ts'
import type { ObjectStore } from './object-store.ts'

/** Whether the webhook would inject the sidecar; `why` is a sentence for the user. */
export type Verdict =
  | {
      readonly kind: 'admitted'
      readonly before: unknown
      readonly after: unknown
      readonly why: string
      readonly warnings: readonly string[]
      /** What the webhook says by an Event alone. */
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'skipped'
      readonly reason: string
      readonly why: string
      readonly warnings: readonly string[]
    }
  /** The input is incomplete. */
  | { readonly kind: 'unknown'; readonly why: string }

/** What an answer depends on besides the pod. */
export interface ReviewContext {
  readonly store: ObjectStore
  readonly serverVersion: Awaited<ReturnType<LookUpsOptions['readVersion']>>
  readonly sidecar: SidecarOptions
}

/** Reviews a pod as if it was just being created. */
export async function reviewPod(stored: Pod, context: ReviewContext): Promise<Verdict> {
  const { store, serverVersion, sidecar } = context
  const pod = asCreated(stored)
  const candidate = preselect(pod)
  if (candidate.kind === 'skip') {
    return { kind: 'skipped', reason: candidate.reason, why: candidate.message, warnings: [] }
  }
  const missing = store.missingFor(candidate, pod)
  if (missing !== undefined) return { kind: 'unknown', why: missing }
  const lookUps = new LookUps({ cluster: store, readVersion: async () => serverVersion })
  const found = await lookUps.gather(candidate, pod.metadata.namespace ?? '')
  const { decision, warnings } = decide(pod, found, prerequisitesOf(sidecar))
  if (decision.kind === 'skip') {
    return { kind: 'skipped', reason: decision.reason, why: decision.message, warnings }
  }
  if (decision.kind === 'repair') {
    const after = applyTo(pod, decision.patch)
    const why = 'injected as ordinary container in place of a broken native sidecar'
    return {
      kind: 'admitted',
      before: pod,
      after,
      why,
      warnings: [...warnings, REPAIRED],
      notes: [],
    }
  }
  const { minicluster } = found
  const advice = minicluster === undefined ? [] : sentencesOf(adviseOnSpec(minicluster))
  const after = applyTo(pod, patchFor(pod, decision, sidecar))
  const how = decision.native ? 'native sidecar' : 'ordinary container'
  const why = `injected as ${how}, for the socket ${decision.socket.path}`
  const notes = protectionEvents(pod.metadata.annotations, decision)
    .filter(({ type }) => type === 'Warning')
    .map(({ message }) => message)
  return { kind: 'admitted', before: pod, after, why, warnings: [...warnings, ...advice], notes }
}
