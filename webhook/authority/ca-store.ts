// Reads and writes the CA's Secret, which all replicas share. A write fails if another replica has written since the read,
// so that replicas never continue from different states.
import type { Cluster, ClusterObject, NewObject, ObjectReference } from '../kubernetes/cluster.ts'
import { decodeSecret, encodeAnnotations, encodeData } from './ca-secret.ts'
import type { CaState } from './ca-state.ts'

/** Users and RBAC rely on this name. */
const CA_SECRET = 'flux-metrics-ca'

const KIND = { apiVersion: 'v1', kind: 'Secret' } as const

/** A state, and the object that it was decoded from. */
export interface StoredCa {
  readonly state: CaState
  readonly object: ClusterObject
}

/** The Secret of the CA. All methods throw ClusterError, and Error if the Secret is invalid. */
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

  /** Creates the Secret. @returns `conflict` if it exists already: nothing was written, read it again */
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

  /** Writes the state that follows `base`. @returns `conflict` if the Secret was changed or deleted since: read it again */
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
