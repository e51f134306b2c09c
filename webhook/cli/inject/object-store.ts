// The objects of the input in the place of the API server: look-ups for the code of the webhook, and which owners are missing.
import type { Candidate } from '../../admission/decision.ts'
import type { LookUpsOptions } from '../../admission/look-ups/look-ups.ts'
import { miniClusterOf } from '../../objects/minicluster.ts'
import type { Owner, Pod } from '../../objects/pod.ts'

type Cluster = LookUpsOptions['cluster']

/** An object as far as look-ups need it. */
export interface Stored {
  readonly kind: string
  readonly value: { readonly metadata: Pod['metadata'] }
  readonly document: { readonly value: object }
}

/** Jobs, MiniClusters and policies of namespaces, found by their names as in an API server. */
export class ObjectStore implements Cluster {
  readonly #objects = new Map<string, Stored>()
  /** The same objects by kind and namespace: each review lists those of its namespace. */
  readonly #lists = new Map<string, Stored[]>()

  /** Of objects with the same name the first one counts. */
  constructor(objects: readonly Stored[]) {
    for (const object of objects) {
      const { name, namespace } = object.value.metadata
      const key = keyOf({ kind: object.kind, name: name ?? '' }, namespace ?? '')
      if (this.#objects.has(key)) continue
      this.#objects.set(key, object)
      const listKey = keyOf({ kind: object.kind, name: '' }, namespace ?? '')
      const list = this.#lists.get(listKey)
      if (list === undefined) this.#lists.set(listKey, [object])
      else list.push(object)
    }
  }

  /** The first owner of a pod that is missing, as a sentence; `undefined` if none is. */
  missingFor({ job }: Candidate, { metadata }: Pod): string | undefined {
    const namespace = metadata.namespace ?? ''
    const found = this.#find(job, namespace)
    if (!isSame(found, job)) return describeMissing(found, { owner: job, of: 'the pod', namespace })
    const owner = miniClusterOf(found?.value.metadata ?? {})
    if (owner === undefined) return undefined
    const minicluster = this.#find(owner, namespace)
    if (isSame(minicluster, owner)) return undefined
    return describeMissing(minicluster, { owner, of: 'its Job', namespace })
  }

  async read(reference: Parameters<Cluster['read']>[0]): ReturnType<Cluster['read']> {
    const { apiVersion, kind, name, namespace = '' } = reference
    const found = this.#find({ kind, name }, namespace)
    return found && { ...found.document.value, apiVersion, kind }
  }

  #find(owner: Pick<Owner, 'kind' | 'name'>, namespace: string): Stored | undefined {
    return this.#objects.get(keyOf(owner, namespace))
  }

  async list({ kind, namespace }: Parameters<Cluster['list']>[0]): ReturnType<Cluster['list']> {
    const found = this.#lists.get(keyOf({ kind, name: '' }, namespace ?? '')) ?? []
    return { items: found.map(({ document }) => ({ ...document.value })), continue: undefined }
  }
}

/** No name contains a slash. */
function keyOf({ kind, name }: Pick<Owner, 'kind' | 'name'>, namespace: string): string {
  return `${kind}/${namespace}/${name}`
}

function isSame(found: Stored | undefined, { uid }: Owner): boolean {
  return found !== undefined && found.value.metadata.uid === uid
}

interface MissingOwner {
  readonly owner: Owner
  readonly of: string
  readonly namespace: string
}

function describeMissing(
  found: Stored | undefined,
  { owner, of, namespace }: MissingOwner,
): string {
  const { kind, name, uid } = owner
  const command = `kubectl get ${kind.toLowerCase()} ${name} -n ${namespace} -o yaml`
  const subject = `the ${kind} "${name}" that controls ${of}`
  return found === undefined
    ? `${subject} is not in the input; ${command} prints it`
    : `${subject} has UID ${uid}, but the one in the input has another; ${command} prints it`
}
