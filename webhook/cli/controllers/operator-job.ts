// The Indexed Job that the Flux Operator (v1alpha2, June 2026) creates for a MiniCluster. Pure.
import type { Json } from '../../objects/json.ts'
import { MINICLUSTER } from '../../objects/minicluster.ts'
import type { MiniClusterSource } from '../input/files/minicluster-source.ts'
import { omitEmpty } from './omit-empty.ts'
import { userContainers, viewContainer } from './operator-containers.ts'
import { ownVolumes, userVolumes } from './operator-volumes.ts'

const APP_NAME = 'app.kubernetes.io/name'
const DEFAULT_BACKOFF_LIMIT = 100

/** The Job (batch/v1) as the operator sends it to the API server. */
export function operatorJob({ metadata, spec }: MiniClusterSource): Json {
  const { name, namespace } = metadata
  const { size, jobLabels, backoffLimit, deadlineSeconds, pod } = spec
  const owner = {
    ...MINICLUSTER,
    name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
  const labels = {
    ...pod.labels,
    app: 'flux-operator',
    [APP_NAME]: name,
    // The scale subresource of the MiniCluster selects pods by this label.
    'hpa-selector': name,
    namespace,
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, ...omitEmpty({ labels: jobLabels }), ownerReferences: [owner] },
    spec: {
      backoffLimit: backoffLimit === 0 ? DEFAULT_BACKOFF_LIMIT : backoffLimit,
      completions: size,
      parallelism: size,
      completionMode: 'Indexed',
      activeDeadlineSeconds: deadlineSeconds,
      template: {
        metadata: { name, namespace, labels, ...omitEmpty({ annotations: pod.annotations }) },
        spec: podSpec(name, spec),
      },
    },
  }
}

function podSpec(name: string, spec: MiniClusterSource['spec']): Json {
  const { pod, network, containers } = spec
  const { fsGroup } = pod.securityContext
  return {
    initContainers: [viewContainer(name, spec)],
    containers: userContainers(name, spec),
    volumes: [...ownVolumes(name, spec), ...userVolumes(containers)],
    restartPolicy: pod.restartPolicy || 'OnFailure',
    subdomain: network.headlessName || name,
    setHostnameAsFQDN: false,
    shareProcessNamespace: spec.shareProcessNamespace,
    automountServiceAccountToken: pod.automountServiceAccountToken,
    ...omitEmpty({
      serviceAccountName: pod.serviceAccountName,
      imagePullSecrets: containers
        .map(({ imagePullSecret }) => omitEmpty({ name: imagePullSecret }))
        .filter(({ name: secret }) => secret !== undefined),
      nodeSelector: pod.nodeSelector,
      tolerations: pod.tolerations.map(({ key, effect, operator, value }) =>
        omitEmpty({ key, effect, operator, value }),
      ),
      schedulerName: pod.schedulerName,
      hostPID: pod.hostPID,
      hostIPC: pod.hostIPC,
      dnsPolicy: pod.dnsPolicy,
      runtimeClassName: pod.runtimeClassName,
      overhead: pod.resources,
    }),
    // The operator copies only this field of the user's security context.
    ...(typeof fsGroup === 'number' && { securityContext: { fsGroup } }),
    ...(!network.disableAffinity && { affinity: affinity(name, pod.nodeAffinity) }),
  }
}

/** Prefers one zone for all pods, and one node for each pod. */
function affinity(name: string, nodes: Readonly<Record<string, readonly string[]>>): Json {
  const prefer = (topologyKey: string) => ({
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          labelSelector: { matchExpressions: [oneOf(APP_NAME, [name])] },
          topologyKey,
        },
      },
    ],
  })
  const matchExpressions = Object.entries(nodes).map(([key, values]) => oneOf(key, values))
  return {
    podAffinity: prefer('topology.kubernetes.io/zone'),
    podAntiAffinity: prefer('kubernetes.io/hostname'),
    ...(matchExpressions.length > 0 && {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions }],
        },
      },
    }),
  }
}

function oneOf(key: string, values: readonly string[]): Json {
  return { key, operator: 'In', values }
}
