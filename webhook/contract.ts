// Names that the sidecar, the webhook, the manifests and the users rely on. Who changes one breaks what is installed.

/** The injected container. */
export const CONTAINER_NAME = 'flux-metrics'

/** Where the sidecar serves HTTPS. */
export const SIDECAR_PORT = 8443

/** The port's name, in `targetPort`s. */
export const PORT_NAME = 'custom-metrics'

/** The Service that the sidecar's metrics describe as well: the prototype's. */
export const METRICS_SERVICE = 'custom-metrics-apiserver'

/** The label of injected pods, by which that Service finds them. */
export const SERVICE_LABEL = { key: 'api-server', value: 'custom-metrics' } as const

/** What annotations of ours begin with, those of users and those that we write. */
export const ANNOTATION_PREFIX = 'flux-metrics/'

/** On pods that were injected: the webhook's version. */
export const INJECTED_ANNOTATION = `${ANNOTATION_PREFIX}injected`

/** On pods whose certificate is provided: PEM of the front proxy's authority. */
export const CLIENT_CA_ANNOTATION = `${ANNOTATION_PREFIX}client-ca`

/** Audience of the sidecar's projected token: it is good for nothing but a request for a certificate. */
export const TOKEN_AUDIENCE = 'flux-metrics'
