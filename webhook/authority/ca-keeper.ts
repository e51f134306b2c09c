// Makes the CA where there is none, carries out the steps of its rotation, and remembers what was last read of it.
import type { Logger } from '#serving/log.ts'
import { type CaState, createState, describeCa } from './ca-state.ts'
import type { CaStore, StoredCa } from './ca-store.ts'
import { nextStep, type Step, takeStep } from './rotation.ts'

const DONE: Readonly<Record<Exclude<Step['kind'], 'wait'>, string>> = {
  prepare: 'made the next CA: it signs when everyone trusts it',
  switch: 'switched to the next CA',
  drop: 'dropped the previous CA: its last certificate has ended',
  replace: 'replaced the CA: it had expired',
}

/** One replica's part in keeping the CA. */
export class CaKeeper {
  readonly #store: CaStore
  readonly #log: Logger
  readonly #now: () => number
  #state: CaState | undefined

  constructor(options: {
    readonly store: CaStore
    readonly log: Logger
    readonly now: () => number
  }) {
    this.#store = options.store
    this.#log = options.log
    this.#now = options.now
  }

  /** As last read or written; `undefined` before the first time. */
  get state(): CaState | undefined {
    return this.#state
  }

  /**
   * Reads the Secret, makes it if there is none, and takes at most one step.
   *
   * @param publishedSince tells since when all objects have been holding a bundle
   * @throws ClusterError, or Error for a Secret that is no good, which is then left as it is; {@link state} stays
   */
  async keep(publishedSince: (state: CaState) => number | undefined): Promise<CaState> {
    const stored = (await this.#store.read()) ?? (await this.#create())
    this.#remember(stored.state)
    const now = this.#now()
    const step = nextStep(stored.state, now, publishedSince(stored.state))
    if (step.kind === 'wait') return stored.state
    const state = await takeStep(stored.state, step, now)
    const written = await this.#store.replace(stored, state)
    // What the other replica wrote is as good; what follows from it is decided on the next look.
    if (written === 'conflict') return this.#remember((await this.#readAgain()).state)
    this.#logStep(step, written.state)
    return this.#remember(written.state)
  }

  async #create(): Promise<StoredCa> {
    const known = this.#state
    const created = await this.#store.create(known ?? (await createState(this.#now())))
    if (created === 'conflict') return this.#readAgain()
    const facts = describeCa(created.state.current)
    if (known === undefined) this.#log.info(facts, 'made the CA')
    else this.#log.warn(facts, 'put the Secret of the CA back: it was deleted')
    return created
  }

  async #readAgain(): Promise<StoredCa> {
    const stored = await this.#store.read()
    if (stored === undefined) throw new Error('Cannot keep the CA: its Secret comes and goes')
    return stored
  }

  #remember(state: CaState): CaState {
    const known = this.#state?.current.certificate
    this.#state = state
    if (state.current.certificate !== known) {
      this.#log.info(describeCa(state.current), 'issuing certificates with this CA')
    }
    return state
  }

  #logStep(step: Step, { current, next }: CaState): void {
    if (step.kind === 'wait') return
    const facts = step.kind === 'prepare' ? { reason: step.reason } : {}
    const level = step.kind === 'replace' ? 'warn' : 'info'
    this.#log[level]({ ...facts, ...describeCa(next ?? current) }, DONE[step.kind])
  }
}
