// Carries out what drain.ts plans: two calls to Flux, which may fail. A failure is logged, and nothing else: the next
// reading shows what is drained, and until then the larger size is published.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { drain, undrain } from '#flux/calls/resource-calls.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import { formatIdset, type Idset, isEmpty } from '#flux/sets/idset.ts'
import type { Client } from '#flux/wire/client.ts'
import type { DrainPlan } from '#scaling/drain-before-shrink.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import type { TransitionLog } from './latest-snapshot.ts'
import type { CollectorObserver } from './observer.ts'

const NOT_OWNER =
  'Flux lets its owner alone drain ranks: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user)'

export interface DrainerOptions {
  /** Who we are, in the reasons of our drains. */
  readonly instance: string
  readonly log: TransitionLog
  readonly observer: CollectorObserver
}

type Call = 'drain' | 'undrain'

/** Drains and gives back. */
export class Drainer {
  readonly #options: DrainerOptions
  /** The failure of each call that was logged last: one that lasts is logged once. */
  readonly #failures = new Map<Call, string>()

  constructor(options: DrainerOptions) {
    this.#options = options
  }

  /** @throws FluxError if the connection fails; what the broker refuses is logged */
  async carryOut(client: Client, plan: DrainPlan, limits: Limits): Promise<void> {
    const { instance } = this.#options
    // First what jobs may wait for.
    if (!isEmpty(plan.undrain)) {
      await this.#do('undrain', plan.undrain, () => undrain(client, plan.undrain, limits))
    }
    if (isEmpty(plan.drain) || plan.preparing === undefined) return
    const reason = drainReason(instance, plan.preparing)
    const ranks = plan.drain
    await this.#do('drain', ranks, () => drain(client, { ranks, reason }, limits))
  }

  async #do(what: Call, ranks: Idset, call: () => Promise<void>): Promise<void> {
    const { log, observer } = this.#options
    try {
      await call()
      this.#failures.delete(what)
      log.info(
        { ranks: formatIdset(ranks) },
        what === 'drain' ? 'drained ranks' : 'gave ranks back',
      )
      observer.drained(what, 'ok')
    } catch (error) {
      if (!isRemote(error)) throw error
      observer.drained(what, 'failed')
      // Somebody was faster, and the next reading shows it.
      if (error.errnum === ERRNO.EEXIST) return
      const why = error.errnum === ERRNO.EPERM ? NOT_OWNER : error.message
      if (why === this.#failures.get(what)) return
      this.#failures.set(what, why)
      log.warn({ ranks: formatIdset(ranks) }, `cannot ${what}: ${why}`)
    }
  }
}
