// Carries out a drain plan by two calls to Flux. A call that fails is only logged: the next reading shows which ranks are
// drained, and until then the larger size is published. The plans are made by #scaling/drains/drain-before-shrink.ts.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { drain, undrain } from '#flux/calls/resource-calls.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import { formatIdset, type Idset, isEmpty } from '#flux/sets/idset.ts'
import type { Client } from '#flux/wire/client.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import type { DrainPlan } from '#scaling/drains/drain-before-shrink.ts'
import type { TransitionLog } from './latest-snapshot.ts'
import type { CollectorObserver } from './observer.ts'

const NOT_OWNER =
  'Flux allows only its owner to drain ranks: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user)'

export interface DrainerOptions {
  /** The name of the MiniCluster, in the reasons of our drains. */
  readonly instance: string
  readonly log: TransitionLog
  readonly observer: CollectorObserver
}

type Call = 'drain' | 'undrain'

const MESSAGES = {
  drain: { ok: 'drained ranks', failed: 'cannot drain ranks' },
  undrain: { ok: 'undrained ranks', failed: 'cannot undrain ranks' },
} as const

/** Drains and undrains ranks. */
export class Drainer {
  readonly #options: DrainerOptions
  /** The last failure of each call that was logged, so that a lasting failure is logged once. */
  readonly #failures = new Map<Call, string>()

  #refusal: string | undefined

  constructor(options: DrainerOptions) {
    this.#options = options
  }

  /** Why Flux refused the drain of the last plan; `undefined` if it did not, or the plan had none. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** @throws FluxError if the connection fails; a refusal by the broker is logged */
  async carryOut(client: Client, plan: DrainPlan, limits: Limits): Promise<void> {
    const { instance } = this.#options
    this.#refusal = undefined
    // Undraining is first, because jobs may wait for these ranks.
    if (!isEmpty(plan.undrain)) {
      await this.#do('undrain', plan.undrain, () => undrain(client, plan.undrain, limits))
    }
    if (isEmpty(plan.drain) || plan.preparing === undefined) return
    const reason = drainReason(instance, plan.preparing)
    const ranks = plan.drain
    await this.#do('drain', ranks, () => drain(client, { ranks, reason }, limits))
  }

  async #do(call: Call, ranks: Idset, send: () => Promise<void>): Promise<void> {
    const { log, observer } = this.#options
    try {
      await send()
      this.#failures.delete(call)
      log.info({ ranks: formatIdset(ranks) }, MESSAGES[call].ok)
      observer.drained(call, 'ok')
    } catch (error) {
      if (!isRemote(error)) throw error
      observer.drained(call, 'failed')
      // Another client drained or undrained a rank first. The next reading shows it.
      if (error.errnum === ERRNO.EEXIST) return
      const reason = error.errnum === ERRNO.EPERM ? NOT_OWNER : error.message
      if (call === 'drain') this.#refusal = reason
      if (reason === this.#failures.get(call)) return
      this.#failures.set(call, reason)
      log.warn({ ranks: formatIdset(ranks), reason }, MESSAGES[call].failed)
    }
  }
}
