// The objects an e2e run creates: what a user who installs the sidecar by hand would write, as plain values.
import type {
  V1APIService,
  V1Container,
  V1PodTemplateSpec,
  V1Secret,
  V1Service,
} from '@kubernetes/client-node'
import type { MiniCluster } from '../../support/minicluster.ts'

export const SIDECAR_IMAGE = process.env.E2E_SIDECAR_IMAGE ?? 'localhost/flux-metrics-sidecar:test'
export const BROKER_IMAGE = process.env.E2E_BROKER_IMAGE ?? 'localhost/flux-metrics-broker:test'

/** The prototype's Service; HPAs written for it name it. */
export const SERVICE = 'custom-metrics-apiserver'
export const MINICLUSTER = 'flux-sample'
export const GROUP = 'custom.metrics.k8s.io'
export const EXTERNAL_GROUP = 'external.metrics.k8s.io'
/** Newest first: what an HPA prefers. */
export const VERSIONS = ['v1beta2', 'v1beta1'] as const
/** On everything cluster-wide that a run creates, so that the next one may remove what a crashed one left. */
export const OWN_LABEL = { 'app.kubernetes.io/managed-by': 'flux-metrics-e2e' } as const

/** While this file is there, a broker's container waits before it starts the broker. It survives a restart. */
export const HOLD_FILE = '/mnt/flux/hold'

const BROKER_COMMAND =
  `bash -c 'while [ -e ${HOLD_FILE} ]; do sleep 0.2; done; ` +
  `exec node /app/test/support/broker-main.ts'`

const CERTIFICATES = '/etc/flux-metrics'

/** Environment of the simulated broker (test/support/pod/settings.ts), e.g. `QUEUES`. */
export type BrokerSettings = Readonly<Record<string, string>>

/** A MiniCluster of simulated brokers. */
export function miniCluster(
  namespace: string,
  {
    size,
    maxSize,
    broker = {},
  }: { readonly size: number; readonly maxSize: number; readonly broker?: BrokerSettings },
): MiniCluster {
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    metadata: { name: MINICLUSTER, namespace },
    spec: {
      size,
      maxSize,
      interactive: true,
      flux: { container: { image: BROKER_IMAGE } },
      containers: [
        {
          image: BROKER_IMAGE,
          command: BROKER_COMMAND,
          environment: { ...broker, MAX_SIZE: String(maxSize) },
          resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
        },
      ],
    },
  }
}

/** Keys and certificates as the sidecar's container finds them, `client-ca.crt` being the front-proxy's. */
export function certificates(
  namespace: string,
  files: { readonly cert: string; readonly key: string; readonly clientCa: string },
): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'flux-metrics-certificates', namespace },
    stringData: { 'tls.crt': files.cert, 'tls.key': files.key, 'client-ca.crt': files.clientCa },
  }
}

/** Adds the sidecar to the pod template, as the webhook will: last, as native sidecar, on the volume that is there. */
export function withSidecar(
  template: V1PodTemplateSpec,
  { namespace, allowedNames }: { readonly namespace: string; readonly allowedNames: string },
): V1PodTemplateSpec {
  const { spec } = template
  if (spec === undefined) throw new TypeError('Cannot add sidecar: the template has no spec')
  return {
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata?.labels, 'api-server': 'custom-metrics' },
    },
    spec: {
      ...spec,
      initContainers: [...(spec.initContainers ?? []), sidecar(namespace, allowedNames)],
      volumes: [
        ...(spec.volumes ?? []),
        { name: 'flux-metrics', secret: { secretName: 'flux-metrics-certificates' } },
      ],
      // a broker takes no notice of SIGTERM, so every shrinking waits this long: 30 s with the real operator
      terminationGracePeriodSeconds: 5,
    },
  }
}

function sidecar(namespace: string, allowedNames: string): V1Container {
  const env = {
    FLUX_URI: 'local:///mnt/flux/config/run/flux/local',
    TLS_CERT_FILE: `${CERTIFICATES}/tls.crt`,
    TLS_KEY_FILE: `${CERTIFICATES}/tls.key`,
    CLIENT_CA_FILE: `${CERTIFICATES}/client-ca.crt`,
    CLIENT_ALLOWED_NAMES: allowedNames,
    NAMESPACE: namespace,
    MINICLUSTER,
    SERVICE_NAME: SERVICE,
    EXTERNAL_METRICS: 'true',
  }
  return {
    name: 'flux-metrics',
    image: SIDECAR_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    ports: [{ name: 'custom-metrics', containerPort: 8443 }],
    resources: {
      requests: { cpu: '10m', memory: '64Mi' },
      limits: { cpu: '1', memory: '128Mi' },
    },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    // alive only: a readiness probe would take the lead broker's DNS name away
    livenessProbe: {
      httpGet: { path: '/livez', port: 8443, scheme: 'HTTPS' },
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    volumeMounts: [
      { name: 'flux-view', mountPath: '/mnt/flux', readOnly: true },
      { name: 'flux-metrics', mountPath: CERTIFICATES, readOnly: true },
    ],
  }
}

/**
 * Leads to the sidecar of index 0: the template, and so the label `api-server`, is common to all pods of the Job. The
 * address is published whatever the pod's readiness, which a broker that restarts takes away: an answer that says why
 * there are no metrics is better than an APIService without endpoints.
 */
export function metricsService(namespace: string): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SERVICE, namespace },
    spec: {
      selector: {
        'api-server': 'custom-metrics',
        'batch.kubernetes.io/job-completion-index': '0',
      },
      publishNotReadyAddresses: true,
      ports: [{ port: 443, targetPort: 8443 }],
    },
  }
}

/** One APIService a version of each group, its `caBundle` the authority of the sidecar's certificate. */
export function apiServices(namespace: string, authority: string): V1APIService[] {
  const custom = VERSIONS.map((version) => [GROUP, version] as const)
  return [...custom, [EXTERNAL_GROUP, 'v1beta1'] as const].map(([group, version], index) => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: OWN_LABEL },
    spec: {
      group,
      version,
      groupPriorityMinimum: 100,
      versionPriority: 300 - 100 * index,
      service: { name: SERVICE, namespace, port: 443 },
      caBundle: Buffer.from(authority).toString('base64'),
    },
  }))
}
