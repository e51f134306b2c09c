// What the Flux Operator creates for a MiniCluster, as plain objects: shapes only, nothing here talks to a cluster.
// Made after the objects that the operator of June 2026 (v1alpha2) left on a real cluster.
import type {
  V1ConfigMap,
  V1Container,
  V1Job,
  V1ObjectMeta,
  V1PodTemplateSpec,
  V1Service,
  V1VolumeMount,
} from '@kubernetes/client-node'
import type { MiniCluster } from './minicluster.ts'

/** Name and namespace of an object that the API server has stored. */
export function identity(object: { readonly metadata?: V1ObjectMeta }): {
  readonly name: string
  readonly namespace: string
} {
  const { name, namespace } = object.metadata ?? {}
  if (name === undefined || namespace === undefined) {
    throw new TypeError('Cannot use object: it has no name or no namespace')
  }
  return { name, namespace }
}

function ownedMetadata(cluster: MiniCluster, name: string): V1ObjectMeta {
  return {
    name,
    namespace: identity(cluster).namespace,
    ownerReferences: [
      {
        apiVersion: 'flux-framework.org/v1alpha2',
        kind: 'MiniCluster',
        name: identity(cluster).name,
        uid: cluster.metadata?.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  }
}

function labels(cluster: MiniCluster): Record<string, string> {
  const { name, namespace } = identity(cluster)
  return {
    app: 'flux-operator',
    'app.kubernetes.io/name': name,
    'hpa-selector': name,
    'job-name': name,
    namespace,
  }
}

/** ConfigMap `<name>-entrypoint`: the start scripts. Ours start the container's command instead of a real Flux. */
export function entrypoint(cluster: MiniCluster): V1ConfigMap {
  const { name } = identity(cluster)
  const command = cluster.spec.containers[0]?.command ?? 'sleep infinity'
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(cluster, `${name}-entrypoint`),
    data: {
      // exec, so that SIGTERM arrives: the operator's own script lets bash swallow it for 30 s
      'wait-0': `#!/bin/bash\nexec ${command}\n`,
      'flux-view': '#!/bin/bash\nset -e\nmkdir -p /mnt/flux/config/run/flux\n',
      'curve.cert': 'no certificate: the simulated broker does not encrypt\n',
    },
  }
}

/** The headless Service: no ports, and `publishNotReadyAddresses` unset, so only ready pods have a DNS name. */
export function headlessService(cluster: MiniCluster): V1Service {
  const { name } = identity(cluster)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(cluster, headlessName(cluster)),
    spec: { clusterIP: 'None', selector: { 'job-name': name } },
  }
}

function headlessName(cluster: MiniCluster): string {
  return cluster.spec.network?.headlessName ?? identity(cluster).name
}

/** The Indexed Job: one pod a rank, completions and parallelism both the size. */
export function indexedJob(cluster: MiniCluster): V1Job {
  const { name } = identity(cluster)
  const { size, deadlineSeconds = 31_500_000 } = cluster.spec
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...ownedMetadata(cluster, name), labels: labels(cluster) },
    spec: {
      activeDeadlineSeconds: deadlineSeconds,
      backoffLimit: 100,
      completionMode: 'Indexed',
      completions: size,
      parallelism: size,
      podReplacementPolicy: 'TerminatingOrFailed',
      template: podTemplate(cluster),
    },
  }
}

function podTemplate(cluster: MiniCluster): V1PodTemplateSpec {
  const { name, namespace } = identity(cluster)
  const view = cluster.spec.flux?.container?.name ?? 'flux-view'
  return {
    metadata: { name, namespace, labels: labels(cluster) },
    spec: {
      affinity: {
        podAffinity: preferPodsOf(name, 'topology.kubernetes.io/zone'),
        podAntiAffinity: preferPodsOf(name, 'kubernetes.io/hostname'),
      },
      automountServiceAccountToken: false,
      subdomain: headlessName(cluster),
      setHostnameAsFQDN: false,
      shareProcessNamespace: false,
      restartPolicy: 'OnFailure',
      initContainers: [viewContainer(cluster, view)],
      containers: [mainContainer(cluster, view)],
      volumes: [
        { name: 'spack-software', emptyDir: {} },
        { name: 'flux-operator-home', emptyDir: {} },
        { name: view, emptyDir: {} },
        {
          name: `${name}-entrypoint`,
          configMap: {
            name: `${name}-entrypoint`,
            items: [
              { key: 'wait-0', path: 'wait-0.sh', mode: 0o777 },
              { key: 'flux-view', path: 'flux-init.sh', mode: 0o777 },
              { key: 'curve.cert', path: 'curve.cert' },
            ],
          },
        },
      ],
    },
  }
}

function preferPodsOf(name: string, topologyKey: string) {
  return {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          labelSelector: {
            matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: [name] }],
          },
          topologyKey,
        },
      },
    ],
  }
}

function commonMounts(name: string, view: string): V1VolumeMount[] {
  return [
    { name: 'flux-operator-home', mountPath: '/home/flux-operator' },
    { name: view, mountPath: '/mnt/flux' },
    { name: `${name}-entrypoint`, mountPath: '/flux_operator/', readOnly: true },
  ]
}

function viewContainer(cluster: MiniCluster, view: string): V1Container {
  const image = cluster.spec.flux?.container?.image ?? cluster.spec.containers[0]?.image ?? ''
  return {
    name: view,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/bash', '/flux_operator/flux-init.sh'],
    stdin: true,
    tty: true,
    volumeMounts: commonMounts(identity(cluster).name, view),
  }
}

function mainContainer(cluster: MiniCluster, view: string): V1Container {
  const { name } = identity(cluster)
  const container = cluster.spec.containers[0]
  const environment = Object.entries(container?.environment ?? {})
  return {
    name,
    image: container?.image ?? '',
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/bash', '/flux_operator/wait-0.sh'],
    ...(environment.length > 0 && {
      env: environment.map(([variable, value]) => ({ name: variable, value })),
    }),
    resources: {
      limits: { ...container?.resources?.limits },
      requests: { ...container?.resources?.requests },
    },
    stdin: true,
    tty: true,
    volumeMounts: [
      ...commonMounts(name, view),
      { name: 'spack-software', mountPath: '/opt/software' },
    ],
  }
}

/** The five conditions of a MiniCluster whose Job was created. */
export function conditions() {
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`
  return [
    'JobRequested',
    'JobWaitingForResources',
    'JobRunning',
    'JobMiniClusterReady',
    'JobFinished',
  ].map((type) => ({
    type,
    reason: type,
    message: type,
    status: type === 'JobMiniClusterReady' ? 'True' : 'False',
    lastTransitionTime,
  }))
}
