// Names, and limits of Kubernetes, that the sidecar, the webhook, the manifests and the users rely on. Changing one breaks existing
// installations.

/** Name of the injected container. */
export const CONTAINER_NAME = 'flux-metrics'

/** Port on which the sidecar serves HTTPS, unless `flux-metrics/port` is another. */
export const SIDECAR_PORT = 8443

/**
 * Name of that port. A Service needs its number as `targetPort`: until 1.32, Kubernetes does not find named ports of native
 * sidecars.
 */
export const PORT_NAME = 'custom-metrics'

/** Port of the webhook's Service on which sidecars obtain their certificates. It is in the environment of each sidecar. */
export const CERTIFICATES_PORT = 8444

/** The webhook in `managedFields` and in the audit log of the API server. */
export const FIELD_MANAGER = 'flux-metrics-webhook'

/** The Service that the sidecar's metrics describe beside the MiniCluster. The prototype chose its name. */
export const METRICS_SERVICE = 'custom-metrics-apiserver'

/** Service, ServiceAccount and Deployment of the gateway. Its client certificate has the same common name. */
export const GATEWAY = 'flux-metrics-gateway'

/** Label of injected pods: the selector of that Service. */
export const SERVICE_LABEL = { key: 'api-server', value: 'custom-metrics' } as const

/** Label of injected pods with the name of their MiniCluster: the rest of that selector. */
export const MINICLUSTER_LABEL = 'flux-metrics/minicluster'

/** Prefix of all annotations of this project, set by users or written by the webhook. */
export const ANNOTATION_PREFIX = 'flux-metrics/'

/** Annotation of injected pods: the version of the webhook. */
export const INJECTED_ANNOTATION = `${ANNOTATION_PREFIX}injected`

/** Annotation of injected pods with a provided certificate: the CA of the front proxy (PEM). */
export const CLIENT_CA_ANNOTATION = `${ANNOTATION_PREFIX}client-ca`

/** Audience of the sidecar's projected token, which can only be used to request a certificate. */
export const TOKEN_AUDIENCE = 'flux-metrics'

/** Label of the objects in which the webhook keeps its CA bundle. Those without belong to another manager, whatever their name is. */
export const CA_BUNDLE_LABEL = 'flux-metrics/ca-bundle'

/** Annotation of an APIService: with the value `never` the gateway leaves it alone. */
export const TAKE_OVER_ANNOTATION = 'flux-metrics/take-over'

/**
 * Annotations of pods by which node autoscalers (Karpenter, cluster-autoscaler) leave them where they are. Their names and values
 * are the autoscalers'.
 */
export const PROTECTION = {
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
} as const

/** More warnings of one answer are dropped on their way to the user of `kubectl`. */
export const MAX_WARNINGS = 10

/** A longer warning is cut on its way there. */
export const MAX_WARNING_LENGTH = 200
