// Gets objects of the API server through kubectl, and says of each whether it is there. Only GET requests: nothing is created or
// changed, not even an access review.
import { messageOf } from '#serving/text.ts'
import { pathOf } from '../../../kubernetes/api-path.ts'
import type { Cluster, ClusterObject } from '../../../kubernetes/cluster.ts'
import { collectionPath, EMPTY_PAGE, pageOf } from '../../../kubernetes/connection/collections.ts'
import type { Answer } from '../../input/cluster/answer.ts'
import { parseJson } from '../../input/cluster/explanation.ts'
import { type Reading, read, senseless, type Unread } from './reading.ts'

/** Gets a path of the API server. Never rejects. */
export type Get = (path: string) => Promise<Answer>

/** kubectl writes the reason of a `Status` so: `Error from server (NotFound): …`. */
const STATUS = /^Error from server \((\w+)\): (.*)$/s

/** What could not be read, as an error for code that expects a {@link Cluster}. */
export class UnreadError extends Error {
  readonly unread: Unread

  constructor(unread: Unread) {
    super(unread.why)
    this.name = 'UnreadError'
    this.unread = unread
  }
}

export class Api {
  readonly #get: Get
  /** Several rules look at the same objects. */
  readonly #known = new Map<string, Promise<Reading<ClusterObject>>>()
  #down: Unread | undefined

  constructor(get: Get) {
    this.#get = get
  }

  /** From now on nothing is asked: nobody would answer. */
  giveUp(why: Unread): void {
    this.#down = why
  }

  /**
   * Gets an object.
   *
   * @param what names it in sentences
   */
  async object(path: string, what: string): Promise<Reading<ClusterObject>> {
    if (this.#down !== undefined) return this.#down
    const known = this.#known.get(path) ?? this.#ask(path, what)
    this.#known.set(path, known)
    return known
  }

  async #ask(path: string, what: string): Promise<Reading<ClusterObject>> {
    const answer = await this.#get(path)
    if (answer.kind === 'failure') return failureOf(answer.reason, what)
    const value = parseJson(answer.text)
    if (typeof value !== 'object' || value === null) return senseless(what, 'the answer is no JSON')
    return read<ClusterObject>({ ...value })
  }

  /** The same as code of webhook and gateway reads it. Its methods throw {@link UnreadError}. */
  asCluster(): Pick<Cluster, 'read' | 'list'> {
    return {
      read: async (reference) => {
        const path = pathOf(reference)
        if (path === undefined) return undefined
        return certain(await this.object(path, `${reference.kind} ${reference.name}`))
      },
      list: async (collection, { limit, continue: next }) => {
        const path = collectionPath(collection, { limit, continue: next })
        if (path === undefined) return EMPTY_PAGE
        const what = `objects of kind ${collection.kind} in namespace ${collection.namespace}`
        const list = certain(await this.object(path, what))
        return list === undefined ? EMPTY_PAGE : pageOf(list, collection)
      },
    }
  }
}

function certain(reading: Reading<ClusterObject>): ClusterObject | undefined {
  if (reading.kind === 'unread') throw new UnreadError(reading)
  return reading.kind === 'read' ? reading.value : undefined
}

function failureOf(reason: string, what: string): Reading<never> {
  const [, status, why = reason] = STATUS.exec(reason) ?? []
  if (status === 'NotFound') return { kind: 'absent', why }
  return { kind: 'unread', what, why, isForbidden: status === 'Forbidden' }
}

/** What code of webhook and gateway reads, as a reading. */
export async function attempt<T>(what: string, act: () => Promise<T>): Promise<Reading<T>> {
  try {
    return read(await act())
  } catch (error) {
    return error instanceof UnreadError ? error.unread : senseless(what, messageOf(error))
  }
}
