// Creates the CA if there is none, carries out the steps of its rotation, and remembers its last known state. Which step
// is due is decided in rotation.ts.
import type { Logger } from '#serving/log.ts'
import { type CaState, createState, describeCa } from './ca-state.ts'
import type { CaStore, StoredCa } from './ca-store.ts'
import { nextStep, type Step, takeStep } from './rotation.ts'

const DONE: Readonly<Record<Exclude<Step['kind'], 'wait' | 'replace'>, string>> = {
  prepare: 'created the next CA: it will sign as soon as its certificate is published everywhere',
  switch: 'switched to the next CA',
  drop: 'removed the previous CA: its last certificate has expired',
}

const REPLACED = {
  age: 'replaced the CA: it had expired',
  clock: 'replaced the CA: it is not valid yet, because the clock that made it was ahead',
} as const

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

  /** The state as it was last read or written; `undefined` before the first time. */
  get state(): CaState | undefined {
    return this.#state
  }

  /**
   * Reads the Secret, creates it if there is none, and takes at most one step.
   *
   * @param publishedSince the time since when all objects have held the bundle of a state
   * @throws ClusterError; Error if the Secret is invalid. The Secret and {@link state} then stay as they are.
   */
  async keep(publishedSince: (state: CaState) => number | undefined): Promise<CaState> {
    const stored = (await this.#store.read()) ?? (await this.#create())
    this.#remember(stored.state)
    const now = this.#now()
    const step = nextStep(stored.state, now, publishedSince(stored.state))
    if (step.kind === 'wait') return stored.state
    const state = await takeStep(stored.state, step, now)
    const written = await this.#store.replace(stored, state)
    // The state that another replica wrote is valid too. The next call decides what follows from it.
    if (written === 'conflict') return this.#remember((await this.#readAgain()).state)
    this.#logStep(step, written.state)
    return this.#remember(written.state)
  }

  async #create(): Promise<StoredCa> {
    const known = this.#state
    const created = await this.#store.create(known ?? (await createState(this.#now())))
    if (created === 'conflict') return this.#readAgain()
    const facts = describeCa(created.state.current)
    if (known === undefined) this.#log.info(facts, 'created the CA')
    else this.#log.warn(facts, 'restored the Secret of the CA: it was deleted')
    return created
  }

  async #readAgain(): Promise<StoredCa> {
    const stored = await this.#store.read()
    if (stored === undefined)
      throw new Error('Cannot read the Secret of the CA: it was just deleted')
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
    const facts = describeCa(next ?? current)
    if (step.kind === 'wait') return
    if (step.kind === 'replace') {
      this.#log.warn(facts, REPLACED[step.reason])
    } else {
      const reason = step.kind === 'prepare' ? { reason: step.reason } : {}
      this.#log.info({ ...reason, ...facts }, DONE[step.kind])
    }
  }
}
