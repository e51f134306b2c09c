// Objects of the Kubernetes API as they are read and written: types only.

/** Names one object; `namespace` is absent for an object of the whole cluster. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  /** Only the metadata is read. Users choose how large the rest is. */
  readonly metadataOnly?: boolean
}

/** The fields of meta/v1 `OwnerReference` that are read. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

/** The fields of meta/v1 `ObjectMeta` that are read and written. */
export interface ObjectMetadata {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string | Date
}

/** An API object. The reader of a field other than the metadata must check its type. */
export interface ClusterObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: ObjectMetadata
  readonly [field: string]: unknown
}

/** An API object to be written. */
export interface NewObject extends ClusterObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
}
