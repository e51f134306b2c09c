// The objects that an e2e run creates: images, names, and the MiniCluster as a plain value.
import type { MiniCluster } from '../../support/minicluster.ts'

export const SIDECAR_IMAGE = process.env.E2E_SIDECAR_IMAGE ?? 'localhost/flux-metrics-sidecar:test'
export const WEBHOOK_IMAGE = process.env.E2E_WEBHOOK_IMAGE ?? 'localhost/flux-metrics-webhook:test'
export const BROKER_IMAGE = process.env.E2E_BROKER_IMAGE ?? 'localhost/flux-metrics-broker:test'

/** The prototype's Service, which HPAs for the prototype name. */
export const SERVICE = 'custom-metrics-apiserver'
export const MINICLUSTER = 'flux-sample'
export const GROUP = 'custom.metrics.k8s.io'
export const EXTERNAL_GROUP = 'external.metrics.k8s.io'
/** Newest first: an HPA prefers the newest. */
export const VERSIONS = ['v1beta2', 'v1beta1'] as const
/** Label of every cluster-wide object of a run, so that the next run can remove what a crashed run left. */
export const OWN_LABEL = { 'app.kubernetes.io/managed-by': 'flux-metrics-e2e' } as const

/** While this file exists, a broker's container waits before it starts the broker. The file survives a restart. */
export const HOLD_FILE = '/mnt/flux/hold'

const BROKER_COMMAND =
  `bash -c 'while [ -e ${HOLD_FILE} ]; do sleep 0.2; done; ` +
  `exec node /app/test/support/broker-main.ts'`

/** The names of our APIServices. */
export const API_SERVICES = [
  ...VERSIONS.map((version) => `${version}.${GROUP}`),
  `v1beta1.${EXTERNAL_GROUP}`,
]

/** Annotations with which a MiniCluster serves metrics, external ones included. */
export const ENABLED = {
  'flux-metrics/enabled': 'true',
  'flux-metrics/external-metrics': 'true',
} as const

/** Environment of the simulated broker (test/support/pod/settings.ts), e.g. `QUEUES`. */
export type BrokerSettings = Readonly<Record<string, string>>

export interface MiniClusterOptions {
  readonly size: number
  readonly maxSize: number
  /** Default: 1. */
  readonly minSize?: number
  readonly broker?: BrokerSettings
  /** UID of the broker. Default: the image's, root. */
  readonly user?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly name?: string
  /** Puts a container that is not the broker's before it, with another UID. Default: false. */
  readonly helperFirst?: boolean
  /** CPUs that each pod requests. Default: next to none. */
  readonly cpu?: string
  readonly pod?: MiniCluster['spec']['pod']
  readonly network?: MiniCluster['spec']['network']
}

/** The helper ends at once when its pod does. */
const HELPER = {
  name: 'helper',
  image: BROKER_IMAGE,
  command: `bash -c 'trap "exit 0" TERM; sleep infinity & wait'`,
  resources: { requests: { cpu: '10m', memory: '16Mi' } },
  securityContext: { runAsUser: 1337 },
} as const

/** A MiniCluster of simulated brokers. */
export function miniCluster(
  namespace: string,
  {
    size,
    maxSize,
    minSize,
    broker = {},
    user,
    annotations = {},
    name = MINICLUSTER,
    helperFirst = false,
    cpu = '10m',
    pod,
    network,
  }: MiniClusterOptions,
): MiniCluster {
  const securityContext = user === undefined ? {} : { runAsUser: user, runAsGroup: user }
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    metadata: { name, namespace, annotations },
    spec: {
      size,
      maxSize,
      ...(minSize !== undefined && { minSize }),
      interactive: true,
      ...(pod !== undefined && { pod }),
      ...(network !== undefined && { network }),
      flux: { container: { image: BROKER_IMAGE, securityContext } },
      containers: [
        ...(helperFirst ? [HELPER] : []),
        {
          runFlux: true,
          image: BROKER_IMAGE,
          command: BROKER_COMMAND,
          environment: { ...broker, MAX_SIZE: String(maxSize), QUORUM: String(minSize ?? 1) },
          resources: { requests: { cpu, memory: '32Mi' }, limits: { memory: '256Mi' } },
          securityContext,
        },
      ],
    },
  }
}
