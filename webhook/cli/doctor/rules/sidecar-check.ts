// The sidecar's container, as the kubelet sees it. Pure.
import * as v from 'valibot'
import { spellSeconds } from '#explaining/wording.ts'
import { shorten } from '#serving/text.ts'
import { CONTAINER_NAME } from '../../../contract.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import type { JobPod } from '../facts/minicluster-facts.ts'
import { type Finding, finding } from '../finding.ts'

export const SIDECAR_CHECK: Check = {
  name: 'sidecar',
  scope: 'minicluster',
  needs: ['lead-pod', 'injection'],
  examine: sidecarVerdict,
}

const Terminated = v.nullish(
  v.object({
    exitCode: v.number(),
    reason: v.nullish(v.string(), ''),
    finishedAt: v.nullish(v.string(), ''),
  }),
)

const Statuses = v.nullish(
  v.array(
    v.object({
      name: v.string(),
      restartCount: v.nullish(v.number(), 0),
      state: v.nullish(
        v.object({
          waiting: v.nullish(
            v.object({ reason: v.nullish(v.string(), ''), message: v.nullish(v.string(), '') }),
          ),
          terminated: Terminated,
        }),
      ),
      lastState: v.nullish(v.object({ terminated: Terminated })),
    }),
  ),
  [],
)

const Schema = v.object({
  metadata: v.object({ creationTimestamp: v.nullish(v.string(), '') }),
  status: v.object({ initContainerStatuses: Statuses, containerStatuses: Statuses }),
})

/** Of a container that waits so, nothing is wrong yet: for as long as images are pulled and init containers run. */
const STARTING = ['', 'ContainerCreating', 'PodInitializing']

const STARTING_MS = 120_000

/** Older restarts are history. */
const RECENT_MS = 3_600_000

function statusIn({ object }: JobPod) {
  const parsed = v.safeParse(Schema, object)
  if (!parsed.success) return undefined
  const { metadata, status } = parsed.output
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const found = all.find(({ name }) => name === CONTAINER_NAME)
  return found && { ...found, createdAt: Date.parse(metadata.creationTimestamp ?? '') }
}

/** Why the sidecar of a pod does not run; `undefined` if it does, is about to, or is not in the pod. */
export function troubleOf(lead: JobPod): Finding | undefined {
  const { waiting, terminated } = statusIn(lead)?.state ?? {}
  const { namespace, name } = lead.pod.metadata
  const subject = `Pod ${namespace}/${name}`
  const reason = waiting?.reason ?? ''
  if (waiting && !STARTING.includes(reason)) {
    const words = shorten(waiting.message || 'the kubelet says no more')
    const message = `its sidecar does not start: ${reason}: ${words}`
    const isImage = /Image/.test(reason)
    const fix = isImage
      ? 'correct SIDECAR_IMAGE of the webhook, or the pull secrets and the registry that the node uses, and create the pod again, which ends its jobs'
      : `see kubectl describe pod -n ${namespace} ${name}`
    return finding('sidecar-waiting', { subject, message, fix })
  }
  if (!terminated) return undefined
  const message = `its sidecar has ended with code ${terminated.exitCode} (${terminated.reason || 'no reason is given'})`
  return finding('sidecar-ended', { subject, message, fix: logs(lead, '') })
}

/** What keeps a pod from its first containers is in its Events alone. */
function delayed({ pod: { metadata } }: JobPod, ms: number): Finding {
  const { namespace, name } = metadata
  return finding('sidecar-waiting', {
    subject: `Pod ${namespace}/${name}`,
    message:
      `its sidecar has not started for ${spellSeconds(ms / 1000)}: a volume that is not there, such as the Secret of flux-metrics/tls-secret, ` +
      'an init container that does not end, or an image that is still pulled',
    fix: `see the Events: kubectl describe pod -n ${namespace} ${name}`,
  })
}

function logs({ pod: { metadata } }: JobPod, option: string): string {
  return `see kubectl logs -n ${metadata.namespace} ${metadata.name} -c ${CONTAINER_NAME}${option}`
}

function sidecarVerdict({ minicluster: { lead }, now }: Facts): Verdict {
  const fine = 'the sidecar runs'
  if (lead.kind !== 'read') return verdict(fine, [], [lead])
  const trouble = troubleOf(lead.value)
  if (trouble !== undefined) return verdict(fine, [trouble])
  const status = statusIn(lead.value)
  const waitsFor = now - (status?.createdAt ?? now)
  const isStarting = status?.state?.waiting !== undefined && status.state.waiting !== null
  if (isStarting && waitsFor > STARTING_MS) return verdict(fine, [delayed(lead.value, waitsFor)])
  const last = status?.lastState?.terminated
  const ago = now - Date.parse(last?.finishedAt ?? '')
  if (!last || !(ago < RECENT_MS)) return verdict(fine, [])
  const isMemory = last.reason === 'OOMKilled'
  const { namespace, name } = lead.value.pod.metadata
  return verdict(fine, [
    finding('sidecar-restarts', {
      subject: `Pod ${namespace}/${name}`,
      message:
        `its sidecar was started again (restarts in all: ${status?.restartCount ?? 0}), last ${spellSeconds(ago / 1000)} ago ` +
        `after code ${last.exitCode} (${last.reason || 'no reason is given'}): meanwhile there are no metrics`,
      fix: isMemory
        ? 'give it more memory: annotation flux-metrics/memory-limit, and create the pod again, which ends its jobs'
        : logs(lead.value, ' --previous'),
    }),
  ])
}
