// An API server in memory, with the features that the webhook uses: versions, conflicts, failures on demand.
import {
  type Cluster,
  ClusterError,
  type ClusterObject,
  type Collection,
  type ListOptions,
  type ListPage,
  type NewObject,
  type ObjectReference,
} from '../../webhook/kubernetes/cluster.ts'

/** A call: the verb in RBAC's words, and the object. */
export interface Call extends ObjectReference {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'
}

/** Kinds that the API server answers and does not store. */
const ANSWERED = new Set(['TokenReview'])

/** Implements {@link Cluster}; every write gives the object a new `resourceVersion`. */
export class MemoryCluster implements Cluster {
  readonly calls: Call[] = []
  /** Answers TokenReviews: returns the object with its status. */
  review: (object: ClusterObject) => ClusterObject = (object) => ({
    ...object,
    status: { authenticated: false, error: 'no reviewer set' },
  })
  readonly #objects = new Map<string, ClusterObject>()
  #version = 0
  #uid = 0
  #failure: ClusterError | undefined
  #failAt: number | undefined

  constructor(objects: readonly NewObject[] = []) {
    for (const object of objects) this.put(object)
  }

  /** Stores an object, and replaces an older one. */
  put(object: NewObject): ClusterObject {
    const stored = this.#stamp(object)
    const { name = '' } = stored.metadata ?? {}
    this.#objects.set(keyOf({ ...referenceOf(object), name }), stored)
    return stored
  }

  /** The stored object; this does not count as a call. */
  peek(reference: ObjectReference): ClusterObject | undefined {
    return this.#objects.get(keyOf(reference))
  }

  /** Takes an object away; this does not count as a call. */
  remove(reference: ObjectReference): void {
    this.#objects.delete(keyOf(reference))
  }

  /** Every call fails with this error until `failWith(undefined)`. */
  failWith(error: ClusterError | undefined): void {
    this.#failure = error
  }

  /** The n-th call from now (1 is the next) fails once, as if the API server were away. */
  failAt(n: number): void {
    this.#failAt = this.calls.length + n
  }

  async read(reference: ObjectReference): Promise<ClusterObject | undefined> {
    this.#called('get', reference)
    const stored = this.peek(reference)
    return reference.metadataOnly === true ? stored && metadataOf(stored) : stored
  }

  /** Knows selectors of the forms `key=value`, `key` and `!key`. A part begins after the object that `continue` names. */
  async list(collection: Collection, options: ListOptions): Promise<ListPage> {
    const { apiVersion, kind, namespace, labelSelector = '', fieldSelector = '' } = collection
    this.#called('list', {
      apiVersion,
      kind,
      name: '',
      ...(namespace !== undefined && { namespace }),
    })
    const all = [...this.#objects.values()].filter(
      (object) =>
        object.apiVersion === apiVersion &&
        object.kind === kind &&
        (namespace === undefined || object.metadata?.namespace === namespace) &&
        selects(labelSelector, object.metadata?.labels ?? {}) &&
        hasFields(fieldSelector, object),
    )
    const start = Number(options.continue ?? '0')
    const end = start + options.limit
    const items = all
      .slice(start, end)
      .map((item) => (collection.metadataOnly === true ? metadataOf(item) : item))
    const resourceVersion = `${this.#version}`
    return { items, continue: end < all.length ? `${end}` : undefined, resourceVersion }
  }

  async create(object: NewObject): Promise<ClusterObject | 'conflict'> {
    const reference = referenceOf(object)
    this.#called('create', reference)
    if (ANSWERED.has(object.kind)) return this.review(object)
    if (reference.name !== '' && this.peek(reference) !== undefined) return 'conflict'
    return this.put(object)
  }

  async replace(object: NewObject): Promise<ClusterObject | 'conflict'> {
    const reference = referenceOf(object)
    this.#called('update', reference)
    const stored = this.peek(reference)
    if (stored === undefined) return 'conflict'
    if (stored.metadata?.resourceVersion !== object.metadata.resourceVersion) return 'conflict'
    return this.put(object)
  }

  async apply(object: NewObject): Promise<ClusterObject | undefined> {
    const reference = referenceOf(object)
    this.#called('get', reference)
    const stored = this.peek(reference)
    if (stored === undefined) return undefined
    this.#called('patch', reference)
    const { resourceVersion: _old, ...metadata } = stored.metadata ?? {}
    const merged = merge({ ...stored, metadata }, object)
    return this.put(merged)
  }

  async delete(object: NewObject): Promise<'conflict' | undefined> {
    const reference = referenceOf(object)
    this.#called('delete', reference)
    const stored = this.peek(reference)
    if (stored === undefined) return undefined
    if (stored.metadata?.resourceVersion !== object.metadata.resourceVersion) return 'conflict'
    this.remove(reference)
    return undefined
  }

  #called(verb: Call['verb'], { apiVersion, kind, name, namespace }: ObjectReference): void {
    const scope = namespace === undefined ? {} : { namespace }
    this.calls.push({ verb, apiVersion, kind, name, ...scope })
    if (this.#failure !== undefined) throw this.#failure
    if (this.calls.length === this.#failAt) {
      throw new ClusterError(0, 'Cannot reach the API server: connection refused')
    }
  }

  #stamp(object: NewObject): ClusterObject {
    this.#version += 1
    const { metadata } = object
    const { generateName, name = `${generateName ?? ''}${this.#version}`, ...rest } = metadata
    this.#uid += metadata.uid === undefined ? 1 : 0
    return {
      ...structuredClone(object),
      metadata: { uid: `uid-${this.#uid}`, ...rest, name, resourceVersion: `${this.#version}` },
    }
  }
}

function selects(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return selector.split(',').every((term) => {
    const [key = '', value] = term.split('=')
    if (term === '') return true
    if (term.startsWith('!')) return labels[term.slice(1)] === undefined
    return value === undefined ? labels[key] !== undefined : labels[key] === value
  })
}

/** Knows the operators `=` and `!=`. A path that is not there is an empty text. */
function hasFields(selector: string, object: ClusterObject): boolean {
  return selector.split(',').every((term) => {
    const isNot = term.includes('!=')
    const [path = '', value = ''] = term.split(isNot ? '!=' : '=')
    if (path === '') return true
    const found = path
      .split('.')
      .reduce<unknown>((at, key) => (isFields(at) ? at[key] : undefined), object)
    return (String(found ?? '') === value) !== isNot
  })
}

/** As in a meta/v1 `PartialObjectMetadata`. */
function metadataOf({ apiVersion, kind, metadata }: ClusterObject): ClusterObject {
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    ...(metadata !== undefined && { metadata }),
  }
}

function referenceOf({ apiVersion, kind, metadata }: NewObject): ObjectReference {
  const { name = '', namespace } = metadata
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

function keyOf({ apiVersion, kind, name, namespace = '' }: ObjectReference): string {
  return [apiVersion, kind, namespace, name].join('|')
}

/** Server-side apply, simplified: maps merge, lists of named items merge by name, all other values are replaced. */
function merge(stored: ClusterObject, applied: NewObject): NewObject {
  return { ...stored, ...applied, ...mergeMaps({ ...stored }, { ...applied }) }
}

type Fields = Readonly<Record<string, unknown>>

function mergeMaps(stored: Fields, applied: Fields): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...stored }
  for (const [field, value] of Object.entries(applied)) {
    merged[field] = mergeValues(stored[field], value)
  }
  return merged
}

function mergeValues(stored: unknown, applied: unknown): unknown {
  if (Array.isArray(stored) && Array.isArray(applied)) return mergeLists(stored, applied)
  return isFields(stored) && isFields(applied) ? mergeMaps(stored, applied) : applied
}

function mergeLists(stored: readonly unknown[], applied: readonly unknown[]): readonly unknown[] {
  const named = (list: readonly unknown[]) => list.filter(isFields).filter(({ name }) => name)
  if (named(applied).length !== applied.length) return applied
  const additions = new Map(named(applied).map((item) => [item.name, item]))
  const merged = named(stored).map((item) => {
    const addition = additions.get(item.name)
    additions.delete(item.name)
    return addition === undefined ? item : mergeMaps(item, addition)
  })
  return [...merged, ...additions.values()]
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
