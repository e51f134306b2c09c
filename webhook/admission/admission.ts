// One admission review from its bytes to its answer: decode, look up, judge, report. It admits every object, whatever happens:
// the webhook adds metrics and enforces nothing.
import type { Logger } from '#serving/log.ts'
import { messageOf, shorten } from '#serving/text.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { reach, type Topology } from '../kubernetes/aggregation/reach.ts'
import { readAnnotations } from '../objects/annotations.ts'
import { MINICLUSTER_GROUP_KIND } from '../objects/minicluster.ts'
import { type Pod, toPod } from '../objects/pod.ts'
import type { Telemetry } from '../telemetry.ts'
import { type Candidate, preselect } from './decision.ts'
import { LaterEvents, type Note } from './later-events.ts'
import type { LookUps } from './look-ups/look-ups.ts'
import { judgeMiniCluster } from './minicluster-review.ts'
import { levelOf, MAX_SENTENCE, nameOf, type Outcome, skipped } from './outcome.ts'
import { judgePod } from './pod-review.ts'
import { decodeReview, encodeAnswer, fitWarnings, type Review } from './review.ts'
import { skip } from './skip.ts'

export interface AdmissionOptions {
  readonly lookUps: LookUps
  readonly events: EventRecorder
  readonly telemetry: Telemetry
  /** The options of every sidecar. Called for each review, because the CAs change. */
  readonly sidecar: () => SidecarOptions
  /** What the custom metrics API leads to; `undefined` if that is not known. */
  readonly topology?: () => Topology | undefined
  readonly log: Logger
}

/** Reviews pods, which may get a sidecar, and MiniClusters, whose pods are protected and whose users get advice. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #log: Logger
  readonly #later: LaterEvents

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#later = new LaterEvents(options)
    this.#log = options.log.child({ component: 'admission' })
  }

  /**
   * Answers a review: logs one line, counts it, and writes Events unless it is a dry run.
   *
   * @param body the body of the request, an AdmissionReview
   * @returns the body of the answer
   * @throws StatusError 400 for a body that is not a review
   */
  async review(body: Buffer): Promise<string> {
    const startedAt = performance.now()
    const review = decodeReview(body)
    const judged = await this.#judge(review)
    const outcome = { ...judged, warnings: fitWarnings(judged.warnings) }
    const ms = performance.now() - startedAt
    this.#report(review, outcome, ms)
    return encodeAnswer(review.uid, outcome)
  }

  async #judge(review: Review): Promise<Outcome> {
    try {
      return review.kind === MINICLUSTER_GROUP_KIND
        ? judgeMiniCluster(review, (minicluster) => this.#adviseOnReach(minicluster))
        : await this.#judgePod(review)
    } catch (err) {
      this.#log.error({ err, uid: review.uid }, 'review failed by a defect: please report it')
      const message = 'The webhook failed to review this object: see its log, and report the defect'
      return skipped(skip('InternalError', message), { warnings: [message], object: '?' })
    }
  }

  async #judgePod({ kind, operation, subResource, namespace, object }: Review): Promise<Outcome> {
    if (kind !== 'Pod' || subResource !== undefined) {
      const what = subResource === undefined ? kind : `${kind}/${subResource}`
      return skipped(skip('NotAPod', `Expected a Pod, got ${what}`))
    }
    if (operation !== 'CREATE') {
      return skipped(skip('NotCreated', `Expected operation CREATE, got ${operation}`))
    }
    const pod = toPod(object)
    if (pod === undefined) return skipped(skip('NotAPod', 'The object does not look like a pod'))
    const candidate = preselect(pod)
    const named = { object: nameOf(pod) }
    if (candidate.kind === 'skip') return skipped(candidate, named)
    const { lookUps, sidecar } = this.#options
    const found = await lookUps.gather(candidate, namespace).catch((error: unknown) => {
      const message = `Could not look up the MiniCluster of the pod: ${messageOf(error)}`
      return skip('LookUpFailed', message)
    })
    if ('kind' in found) {
      const later = noteOn(pod, candidate, { namespace, message: found.message })
      return { ...skipped(found, { ...named, warnings: [found.message] }), later: [later] }
    }
    return judgePod(pod, found, {
      sidecar: sidecar(),
      adviseOnReach: (minicluster) => this.#adviseOnReach(minicluster),
    })
  }

  #adviseOnReach(minicluster: { readonly namespace: string; readonly name: string }) {
    const reached = reach(this.#options.topology?.(), minicluster)
    return reached.kind === 'reached' ? [] : [reached.why]
  }

  #report({ uid, namespace, dryRun }: Review, outcome: Outcome, ms: number): void {
    const {
      decision,
      reason,
      why,
      object,
      warnings,
      minicluster,
      patch,
      events,
      later = [],
    } = outcome
    const isOfPod = decision === 'inject' || decision === 'skip'
    const about = minicluster?.metadata.name ?? (isOfPod ? undefined : object)
    const fields = {
      uid: shorten(uid),
      namespace: shorten(namespace),
      object,
      ...(about !== undefined && { minicluster: about }),
      decision,
      reason,
      ...(why !== undefined && { why }),
      ...(warnings.length > 0 && { warnings }),
      ...(dryRun && { dryRun }),
      ms: Math.round(ms * 10) / 10,
    }
    this.#log[levelOf(outcome)](fields, 'reviewed')
    if (patch.length > 0) this.#log.debug({ uid, patch }, 'patch')
    this.#options.telemetry.countReview({ decision, reason, dryRun, seconds: ms / 1000 })
    if (dryRun) return
    for (const note of later) this.#later.add(note)
    if (minicluster === undefined) return
    for (const event of events) this.#options.events.record(minicluster, event)
  }
}

/** What the user must hear once the API server answers: nothing else would say it. */
function noteOn(
  { metadata }: Pod,
  { job }: Candidate,
  { namespace, message }: { readonly namespace: string; readonly message: string },
): Note {
  const { apiVersion, kind, name, uid } = job
  const cure = 'delete the index-0 pod to try again, which ends the jobs of the MiniCluster'
  return {
    kind: 'pod',
    namespace,
    // Only these fields: the owner reference of a stranger may have many more.
    job: { apiVersion, kind, name, uid },
    isEnabled: readAnnotations(metadata.annotations, undefined).settings.enabled,
    event: {
      type: 'Warning',
      reason: 'MetricsNotInjected',
      message: `LookUpFailed: ${shorten(message, { characters: MAX_SENTENCE })}: ${cure}`,
    },
  }
}
