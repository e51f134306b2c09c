// Keeps the CA bundle in the objects from which API servers and the gateway read the CAs to trust, even if others overwrite it. Which
// bundle is the latest is the caller's to know.
import type { Logger } from '#serving/log.ts'
import type { Cluster, ObjectReference } from '../kubernetes/cluster.ts'
import { type PublishedObject, parsePublished, publishedFrom } from './published-object.ts'

/** The objects as they were read at one time. */
export interface Observation {
  readonly objects: readonly PublishedObject[]
  /** The errors of the objects that could not be read. */
  readonly failures: readonly unknown[]
}

/** Reads the objects, then writes them. In between, the caller makes sure that the bundle is the latest. */
export class Publisher {
  readonly #cluster: Cluster
  readonly #references: readonly ObjectReference[]
  readonly #log: Logger
  readonly #now: () => number
  /** The bundle that each object held last, by kind and name. */
  readonly #held = new Map<string, string>()
  #complete: { readonly bundle: string; readonly since: number } | undefined

  constructor(options: {
    readonly cluster: Cluster
    /** The webhook's own. */
    readonly namespace: string
    readonly log: Logger
    readonly now: () => number
  }) {
    this.#cluster = options.cluster
    this.#references = publishedFrom(options.namespace)
    this.#log = options.log
    this.#now = options.now
  }

  /** Reads all objects. Never rejects. */
  async observe(): Promise<Observation> {
    const answers = await Promise.allSettled(
      this.#references.map((reference) => this.#read(reference)),
    )
    return {
      objects: answers.flatMap((answer) =>
        answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
      ),
      failures: answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : [])),
    }
  }

  /**
   * The time since when every observation has shown this bundle in all objects. Must be called once for each observation.
   *
   * @param bundle PEM
   * @returns milliseconds since 1970; `undefined` if an object does not hold it or could not be read
   */
  publishedSince(bundle: string, { objects, failures }: Observation): number | undefined {
    const holdAll = failures.length === 0 && objects.every((object) => object.holds(bundle))
    if (!holdAll) this.#complete = undefined
    else if (this.#complete?.bundle !== bundle) this.#complete = { bundle, since: this.#now() }
    return this.#complete?.since
  }

  /**
   * Applies the bundle to each object that does not hold it.
   *
   * @param bundle PEM
   * @returns the errors of the objects that could not be written
   */
  async publish(bundle: string, { objects }: Observation): Promise<readonly unknown[]> {
    const answers = await Promise.allSettled(objects.map((object) => this.#publish(object, bundle)))
    return answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  }

  async #read(reference: ObjectReference): Promise<PublishedObject | undefined> {
    const object = await this.#cluster.read(reference)
    const published = object === undefined ? undefined : parsePublished(reference, object)
    // An object that was deleted or lost its label, and is back later, does not count as overwritten.
    if (published === undefined) this.#held.delete(nameOf(reference))
    return published
  }

  async #publish(object: PublishedObject, bundle: string): Promise<void> {
    const key = nameOf(object.reference)
    if (!object.holds(bundle)) {
      const applied = await this.#cluster.apply(object.applied(bundle))
      if (applied === undefined) return
      const { kind, name } = object.reference
      if (this.#held.get(key) === bundle) {
        const facts = { kind, name, writtenBy: object.writtenBy }
        this.#log.warn(facts, 'restored the CA bundle: another writer had overwritten it')
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
