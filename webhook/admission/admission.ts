// One admission review from its bytes to its answer: decode, look up, decide, patch, report. It admits every object,
// whatever happens: the webhook adds metrics and enforces nothing.
import type { Logger } from '#serving/log.ts'
import { CONTAINER_NAME } from '../contract.ts'
import type { EventRecorder, EventText } from '../events/event-recorder.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { KIND, type MiniCluster, toMiniCluster } from '../injection/minicluster.ts'
import { type AddOperation, applyTo, patchFor } from '../injection/patch.ts'
import type { Plan } from '../injection/plan.ts'
import { displayName, type Pod, toPod } from '../injection/pod.ts'
import type { Telemetry } from '../telemetry.ts'
import { type Decided, decide, preselect, type Skip, skip } from './decision.ts'
import type { LookUps } from './look-ups.ts'
import { advise } from './minicluster-advice.ts'
import { decodeReview, encodeAnswer, type Review } from './review.ts'
import { adviseOnSpec } from './spec-advice.ts'

/** The result of a review. */
interface Outcome {
  readonly decision: 'inject' | 'skip' | 'advise'
  /** For programs: a word of a closed list. */
  readonly reason: string
  /** One sentence for people; `undefined` where the reason says it all. */
  readonly why: string | undefined
  /** Name of the object in the log. */
  readonly object: string
  readonly patch: readonly AddOperation[]
  readonly warnings: readonly string[]
  readonly minicluster: MiniCluster | undefined
  readonly events: readonly EventText[]
}

export interface AdmissionOptions {
  readonly lookUps: LookUps
  readonly events: EventRecorder
  readonly telemetry: Telemetry
  /** The options of every sidecar. Called for each review, because the CAs change. */
  readonly sidecar: () => SidecarOptions
  readonly log: Logger
}

/** Reviews pods, which may get a sidecar, and MiniClusters, which get advice. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #log: Logger

  constructor(options: AdmissionOptions) {
    this.#options = options
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
    const outcome = await this.#judge(review)
    const ms = performance.now() - startedAt
    this.#report(review, outcome, ms)
    return encodeAnswer(review.uid, outcome)
  }

  async #judge(review: Review): Promise<Outcome> {
    try {
      return review.kind === KIND ? adviseOn(review) : await this.#judgePod(review)
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
    const named = { object: displayName(pod) }
    if (candidate.kind === 'skip') return skipped(candidate, named)
    const { lookUps, sidecar } = this.#options
    const found = await lookUps.gather(candidate, namespace).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      return skip('LookUpFailed', `Could not look up the MiniCluster of the pod: ${why}`)
    })
    if ('kind' in found) return skipped(found, { ...named, warnings: [found.message] })
    const options = sidecar()
    const decided = decide(pod, found, {
      hasAuthority: options.identity !== undefined,
      knowsFrontProxy: options.frontProxy !== undefined,
    })
    const { decision, warnings } = decided
    const { minicluster } = found
    if (decision.kind === 'skip') return skipped(decision, { ...named, warnings, minicluster })
    return this.#inject(pod, decision, { ...decided, minicluster, options })
  }

  #inject(
    pod: Pod,
    plan: Plan,
    context: Decided & {
      readonly minicluster: MiniCluster | undefined
      readonly options: SidecarOptions
    },
  ): Outcome {
    const { warnings, minicluster, options } = context
    const { scheduler = [], bursting = [] } =
      minicluster === undefined ? {} : adviseOnSpec(minicluster)
    const patch = patchFor(pod, plan, options)
    applyTo(pod, patch)
    const how = plan.native ? 'a native sidecar' : 'an ordinary container'
    const name = displayName(pod)
    const message = `Added container "${CONTAINER_NAME}" to pod ${name} as ${how} for the socket ${plan.socket.path}`
    return {
      decision: 'inject',
      reason: 'Enabled',
      why: undefined,
      object: name,
      patch,
      warnings: [...warnings, ...scheduler, ...bursting],
      minicluster,
      events: [
        { type: 'Normal', reason: 'MetricsInjected', message },
        ...warningEvents('MetricsAnnotations', warnings),
        ...warningEvents('MetricsScheduler', scheduler),
        ...warningEvents('MetricsBursting', bursting),
      ],
    }
  }

  #report({ uid, namespace, dryRun }: Review, outcome: Outcome, ms: number): void {
    const { decision, reason, why, object, warnings, minicluster, patch, events } = outcome
    const fields = {
      uid,
      namespace,
      object,
      ...(minicluster !== undefined && { minicluster: minicluster.metadata.name }),
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
    if (dryRun || minicluster === undefined) return
    for (const event of events) this.#options.events.record(minicluster, event)
  }
}

/** The operator updates a MiniCluster often, mostly with nothing to report: such a review is logged at debug only. */
function levelOf({ decision, reason, warnings, events }: Outcome): 'debug' | 'info' | 'warn' {
  if (reason === 'LookUpFailed') return 'warn'
  const isRoutine = decision === 'advise' && warnings.length === 0 && events.length === 0
  return isRoutine ? 'debug' : 'info'
}

function skipped(
  { reason, message, isReported }: Skip,
  context: Partial<Pick<Outcome, 'object' | 'warnings' | 'minicluster'>> = {},
): Outcome {
  const { object = '?', warnings = [], minicluster } = context
  const event = { type: 'Warning', reason: 'MetricsNotInjected' } as const
  return {
    decision: 'skip',
    reason,
    why: message,
    object,
    patch: [],
    warnings: isReported && !warnings.includes(message) ? [...warnings, message] : warnings,
    minicluster,
    events: [
      ...(isReported ? [{ ...event, message: `${reason}: ${message}` }] : []),
      ...warningEvents('MetricsAnnotations', warnings),
    ],
  }
}

function warningEvents(reason: string, warnings: readonly string[]): readonly EventText[] {
  if (warnings.length === 0) return []
  return [{ type: 'Warning', reason, message: warnings.join('; ') }]
}

function adviseOn({ object, oldObject }: Review): Outcome {
  const minicluster = toMiniCluster(object)
  const { warnings, event } =
    minicluster === undefined
      ? { warnings: [], event: undefined }
      : advise(minicluster, toMiniCluster(oldObject))
  return {
    decision: 'advise',
    reason: warnings.length > 0 ? 'Warned' : event === undefined ? 'Nothing' : event.reason,
    why: undefined,
    object: minicluster?.metadata.name ?? '?',
    patch: [],
    warnings,
    minicluster,
    events: event === undefined ? [] : [event],
  }
}
