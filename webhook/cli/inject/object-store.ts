// The documents as the API server that the webhook would ask, and what is not among them.
import type { Candidate } from '../../admission/decision.ts'
import type { LookUpsOptions } from '../../admission/look-ups.ts'
import { miniClusterOf } from '../../injection/minicluster.ts'
import type { Owner, Pod } from '../../injection/pod.ts'

type Cluster = LookUpsOptions['cluster']

/** An object, as far as it is looked up. */
export interface Stored {
  readonly kind: string
  readonly value: { readonly metadata: Pod['metadata'] }
  readonly document: { readonly value: object }
}

/** Jobs and MiniClusters, found by name as the API server does. */
export class ObjectStore implements Cluster {
  readonly #objects: readonly Stored[]

  constructor(objects: readonly Stored[]) {
    this.#objects = objects
  }

  /** What the webhook would have to know about a pod and is not here; `undefined` if all is. */
  missingFor({ job }: Candidate, { metadata }: Pod): string | undefined {
    const namespace = metadata.namespace ?? ''
    const found = this.#find(job, namespace)
    if (!isSame(found, job)) return missing(found, { owner: job, of: 'the pod', namespace })
    const owner = miniClusterOf(found?.value.metadata ?? {})
    if (owner === undefined) return undefined
    const minicluster = this.#find(owner, namespace)
    if (isSame(minicluster, owner)) return undefined
    return missing(minicluster, { owner, of: 'its Job', namespace })
  }

  async read(reference: Parameters<Cluster['read']>[0]): ReturnType<Cluster['read']> {
    const { apiVersion, kind, name, namespace = '' } = reference
    const found = this.#find({ kind, name }, namespace)
    return found && { ...found.document.value, apiVersion, kind }
  }

  #find({ kind, name }: Pick<Owner, 'kind' | 'name'>, namespace: string): Stored | undefined {
    return this.#objects.find(
      ({ kind: found, value: { metadata } }) =>
        found === kind && metadata.name === name && metadata.namespace === namespace,
    )
  }
}

function isSame(found: Stored | undefined, { uid }: Owner): boolean {
  return found !== undefined && found.value.metadata.uid === uid
}

interface Lack {
  readonly owner: Owner
  readonly of: string
  readonly namespace: string
}

function missing(found: Stored | undefined, { owner, of, namespace }: Lack): string {
  const { kind, name, uid } = owner
  const command = `kubectl get ${kind.toLowerCase()} ${name} -n ${namespace} -o yaml`
  const what = `the ${kind} "${name}" that controls ${of}`
  return found === undefined
    ? `${what} is not among the documents (${command} prints it)`
    : `${what} has UID ${uid}, the one in the documents has not (${command} prints it)`
}
