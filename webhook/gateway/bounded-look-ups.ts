// Look-ups in the cluster that anybody who may read metrics can cause. An answer is remembered for a moment, askers of the same
// share a look-up, and each namespace has its part of those at once and of their rate.
import { RecentMap } from '#serving/limits/recent-map.ts'
import { TokenBucket } from '#serving/limits/token-bucket.ts'
import { untilDeadline } from '#serving/waiting/until-deadline.ts'

/** For all namespaces. Each look-up takes a few calls. */
const RATE = { burst: 50, perSecond: 10 }

/** One namespace leaves most of it to the others. */
const RATE_OF_NAMESPACE = { burst: 20, perSecond: 2 }

const MAX_NAMESPACES = 1_000

/** A look-up takes 20 KB for each, with the text of an error. */
const MAX_REMEMBERED = 1_000

export interface LookUpLimits {
  /** How long an answer is remembered, in milliseconds. */
  readonly lifeMs: number
  /** Look-ups at once. Default: as many as their rate lets begin. */
  readonly maxUnderway?: number
  /** Of them, those of one namespace. Default: all. */
  readonly maxOfNamespace?: number
}

/** What a look-up is for. Equal keys are equal look-ups. */
export interface LookUp {
  readonly namespace: string
  readonly key: string
}

export type LookedUp<Answer> =
  | { readonly kind: 'found'; readonly answer: Answer }
  /** It goes on, and the next asker may find its answer. */
  | { readonly kind: 'late' }
  /** There are too many, in all or of the namespace. */
  | { readonly kind: 'refused' }

export class BoundedLookUps<Answer> {
  readonly #limits: Required<LookUpLimits>
  readonly #known = new RecentMap<string, { readonly answer: Answer; readonly until: number }>(
    MAX_REMEMBERED,
  )
  readonly #underway = new Map<string, Promise<Answer>>()
  /** Look-ups under way, by namespace. */
  readonly #running = new Map<string, number>()
  readonly #bucket = new TokenBucket(RATE, performance.now())
  readonly #ofNamespace = new RecentMap<string, TokenBucket>(MAX_NAMESPACES)

  constructor(limits: LookUpLimits) {
    const { maxUnderway = Number.POSITIVE_INFINITY } = limits
    this.#limits = { maxUnderway, maxOfNamespace: maxUnderway, ...limits }
  }

  /**
   * @param deadline in milliseconds of `performance.now()`
   * @param look never rejects
   */
  async find(
    lookUp: LookUp,
    deadline: number,
    look: () => Promise<Answer>,
  ): Promise<LookedUp<Answer>> {
    const { key } = lookUp
    const known = this.#known.get(key)
    if (known !== undefined && performance.now() < known.until) {
      return { kind: 'found', answer: known.answer }
    }
    const looking = this.#underway.get(key) ?? this.#start(lookUp, look)
    if (looking === undefined) return { kind: 'refused' }
    const found = looking.then((answer) => ({ kind: 'found', answer }) as const)
    return (await untilDeadline(found, deadline)) ?? { kind: 'late' }
  }

  #start({ namespace, key }: LookUp, look: () => Promise<Answer>): Promise<Answer> | undefined {
    const { maxUnderway, maxOfNamespace, lifeMs } = this.#limits
    const running = this.#running.get(namespace) ?? 0
    if (running >= maxOfNamespace || this.#underway.size >= maxUnderway) return undefined
    if (!this.#admit(namespace)) return undefined
    this.#running.set(namespace, running + 1)
    const looking = look().finally(() => {
      this.#underway.delete(key)
      const left = (this.#running.get(namespace) ?? 1) - 1
      if (left === 0) this.#running.delete(namespace)
      else this.#running.set(namespace, left)
    })
    this.#underway.set(key, looking)
    void looking.then((answer) => {
      this.#known.deleteOver(({ until }) => until <= performance.now())
      this.#known.set(key, { answer, until: performance.now() + lifeMs })
    })
    return looking
  }

  #admit(namespace: string): boolean {
    const now = performance.now()
    const bucket = this.#ofNamespace.get(namespace) ?? new TokenBucket(RATE_OF_NAMESPACE, now)
    this.#ofNamespace.set(namespace, bucket)
    // What its own bucket refuses takes nothing of the common one.
    return bucket.take(now) && this.#bucket.take(now)
  }
}
