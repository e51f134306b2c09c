// Keeps the CA bundle in the objects that tell API servers whom to trust, whoever else writes there.
import type { Logger } from '#serving/log.ts'
import type { Cluster, ObjectReference } from '../kubernetes/cluster.ts'
import { PUBLISHED, type PublishedObject, parsePublished } from './published-object.ts'

/** What one look at the objects gave. */
export interface Observation {
  /** Ours, as they were read. */
  readonly objects: readonly PublishedObject[]
  /** Why others could not be read. */
  readonly failures: readonly unknown[]
}

/** Looks first, writes then: in between, the caller makes sure that the bundle is the latest. */
export class Publisher {
  readonly #cluster: Cluster
  readonly #log: Logger
  readonly #now: () => number
  /** The bundle that each object held last, by what it is called. */
  readonly #held = new Map<string, string>()
  #complete: { readonly bundle: string; readonly since: number } | undefined

  constructor(options: {
    readonly cluster: Cluster
    readonly log: Logger
    readonly now: () => number
  }) {
    this.#cluster = options.cluster
    this.#log = options.log
    this.#now = options.now
  }

  /** Reads all objects. Never rejects. */
  async observe(): Promise<Observation> {
    const answers = await Promise.allSettled(PUBLISHED.map((reference) => this.#read(reference)))
    return {
      objects: answers.flatMap((answer) =>
        answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
      ),
      failures: answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : [])),
    }
  }

  /**
   * Since when every object that is ours has been seen holding this bundle, without a look that showed or left it
   * otherwise. To be called once per observation.
   *
   * @param bundle PEM
   * @returns milliseconds since 1970; `undefined` if one does not hold it, or could not be read
   */
  publishedSince(bundle: string, { objects, failures }: Observation): number | undefined {
    const holdAll = failures.length === 0 && objects.every((object) => holds(object, bundle))
    if (!holdAll) this.#complete = undefined
    else if (this.#complete?.bundle !== bundle) this.#complete = { bundle, since: this.#now() }
    return this.#complete?.since
  }

  /**
   * Applies the bundle where an object was seen without it.
   *
   * @param bundle PEM
   * @returns what failed; the others are done
   */
  async publish(bundle: string, { objects }: Observation): Promise<readonly unknown[]> {
    const answers = await Promise.allSettled(objects.map((object) => this.#publish(object, bundle)))
    return answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  }

  async #read(reference: ObjectReference): Promise<PublishedObject | undefined> {
    const object = await this.#cluster.read(reference)
    const published = object === undefined ? undefined : parsePublished(reference, object)
    // What vanished or was taken from us, and comes back, was not overwritten.
    if (published === undefined) this.#held.delete(nameOf(reference))
    return published
  }

  async #publish(object: PublishedObject, bundle: string): Promise<void> {
    const key = nameOf(object.reference)
    if (!holds(object, bundle)) {
      const applied = await this.#cluster.apply(object.applied(encode(bundle)))
      if (applied === undefined) return
      const { kind, name } = object.reference
      if (this.#held.get(key) === bundle) {
        const facts = { kind, name, writtenBy: object.writtenBy }
        this.#log.warn(facts, 'repaired the CA bundle: somebody else had overwritten it')
      } else {
        this.#log.info({ kind, name }, 'published the CA bundle')
      }
    }
    this.#held.set(key, bundle)
  }
}

function nameOf({ kind, name }: ObjectReference): string {
  return `${kind} ${name}`
}

function holds({ held }: PublishedObject, bundle: string): boolean {
  return held.every((caBundle) => caBundle === encode(bundle))
}

/** The API's form of bytes. */
function encode(bundle: string): string {
  return Buffer.from(bundle).toString('base64')
}
