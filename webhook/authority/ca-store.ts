// Where the CA is kept: one Secret for all replicas. Every write is optimistic, so that no two replicas go different ways.
import type { Cluster, ClusterObject, NewObject, ObjectReference } from '../kubernetes/cluster.ts'
import { decodeSecret, encodeAnnotations, encodeData } from './ca-secret.ts'
import type { CaState } from './ca-state.ts'

/** The name is part of what users and RBAC rely on. */
export const CA_SECRET = 'flux-metrics-ca'

const KIND = { apiVersion: 'v1', kind: 'Secret' } as const

/** A state, and the object of which version it is. */
export interface StoredCa {
  readonly state: CaState
  readonly object: ClusterObject
}

/** Reads and writes the Secret. All methods throw ClusterError, and Error for a Secret that is no good. */
export class CaStore {
  readonly #cluster: Cluster
  readonly #reference: ObjectReference

  constructor(options: { readonly cluster: Cluster; readonly namespace: string }) {
    this.#cluster = options.cluster
    this.#reference = { ...KIND, name: CA_SECRET, namespace: options.namespace }
  }

  /** @returns `undefined` if there is no Secret */
  async read(): Promise<StoredCa | undefined> {
    const object = await this.#cluster.read(this.#reference)
    return object === undefined ? undefined : stored(object)
  }

  /** Makes the Secret. @returns `conflict` if another replica was first: nothing was written, read again */
  async create(state: CaState): Promise<StoredCa | 'conflict'> {
    const { name, namespace = '' } = this.#reference
    const object = await this.#cluster.create({
      ...KIND,
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/managed-by': 'flux-metrics-webhook' },
        annotations: encodeAnnotations(state),
      },
      type: 'Opaque',
      data: encodeData(state),
    })
    return object === 'conflict' ? object : stored(object)
  }

  /** Writes what followed from `base`. @returns `conflict` if the Secret is another by now: read again */
  async replace(base: StoredCa, state: CaState): Promise<StoredCa | 'conflict'> {
    const { metadata = {}, ...rest } = base.object
    const object: NewObject = {
      ...rest,
      ...KIND,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, ...encodeAnnotations(state) },
      },
      data: encodeData(state),
    }
    const answer = await this.#cluster.replace(object)
    return answer === 'conflict' ? answer : stored(answer)
  }
}

function stored(object: ClusterObject): StoredCa {
  return { state: decodeSecret(object), object }
}
