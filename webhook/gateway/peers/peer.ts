// A MiniCluster's sidecar as the gateway knows it: the pod of the lead broker. What the other rooms of the gateway need to know
// of the pods that were found; pods are watched in pod-watch.ts.

/** Names a MiniCluster. */
export interface MiniClusterName {
  readonly namespace: string
  readonly minicluster: string
}

/** A running pod that says to be the lead broker of a MiniCluster. Only its certificate proves it. */
export interface Peer extends MiniClusterName {
  readonly pod: string
  readonly uid: string
  /** UID of the Job that controls it: each MiniCluster of a name has another one. */
  readonly job: string
  /** IP address of the pod, IPv4 or IPv6 without brackets. */
  readonly address: string
  /** Port of the sidecar. */
  readonly port: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Version of the webhook that injected the sidecar. */
  readonly version: string
}

/** What is known of a MiniCluster's sidecar. */
export type PeerLookup =
  /** Never empty, the newest first. More than one only if pods were copied or are replaced just now. */
  | { readonly kind: 'found'; readonly peers: readonly Peer[] }
  /** The pod is there, and cannot be asked. `why` continues the sentence "pod NAME …". */
  | { readonly kind: 'unready'; readonly pod: string; readonly why: string }
  /** No pod has a sidecar for this MiniCluster. */
  | { readonly kind: 'absent' }

/** The pods with sidecars, in all namespaces, as they were last seen. */
export interface Peers {
  find(name: MiniClusterName): PeerLookup
  /**
   * The MiniClusters of a namespace that have a pod with a sidecar, found or unready, or had one a minute ago; in alphabetical
   * order. Those that have finished are not among them. If there are any, so are those that ask for metrics and have no sidecar.
   *
   * @throws StatusError 503 if not all are known
   */
  inNamespace(namespace: string): readonly MiniClusterName[]
  /** Those of all namespaces that have a pod now, and have not finished. */
  all(): readonly MiniClusterName[]
  /** Why nothing is known yet; `undefined` once the pods were listed. Later the last list serves. */
  readonly missing: string | undefined
}

/** The MiniClusters that ask for metrics, whether they have a sidecar or not. */
export interface EnabledNames {
  /**
   * Those of a namespace, in no order.
   *
   * @throws StatusError 503 if not all are known
   */
  inNamespace(namespace: string): readonly string[]
}

/** The Jobs of the pods with sidecars. */
export interface PeerJobs {
  /** UIDs of the Jobs whose living pods say to be the lead broker of the MiniCluster: usually one. */
  jobsOf(name: MiniClusterName): readonly string[]
}
