// Arbitraries of fast-check: pods that an API server accepts, as unusual as it allows.
import fc from 'fast-check'
import type { Container, Pod, Volume, VolumeMount } from '../../webhook/objects/pod.ts'

/** DNS labels (RFC 1123). Some are also names of properties of every JavaScript object. */
const name = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom('a', '0', 'flux-view', 'flux-sample', 'a--b', 'x') },
  { weight: 20, arbitrary: fc.constantFrom('constructor', 'valueof', 'x'.repeat(63)) },
  { weight: 1, arbitrary: fc.constantFrom('flux-metrics', 'flux-metrics-socket') },
)

const key = fc.constantFrom(
  'app',
  'constructor',
  'toString',
  'A.b_c-9',
  'example.com/a.b',
  'batch.kubernetes.io/job-name',
  'kubectl.kubernetes.io/default-container',
  `${'p'.repeat(63)}.example/${'n'.repeat(63)}`,
)

const labels = fc.dictionary(key, fc.constantFrom('', 'a', 'A_b.c-9', 'v'.repeat(63)))

const annotations = fc.dictionary(key, fc.string({ unit: 'grapheme', maxLength: 20 }))

/** Annotations of users, valid and invalid. */
const settings = fc.record(
  {
    'flux-metrics/socket': fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('/run/flux/local', '/mnt/flux/local', '/data/a/b') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('/etc/local', '/var/run/flux-metrics/identity/a', 'local'),
      },
    ),
    'flux-metrics/native-sidecar': fc.constantFrom('true', 'false', 'auto', 'maybe'),
    'flux-metrics/tls-secret': fc.constantFrom('serving', 'Serving'),
    'flux-metrics/metrics-config': fc.constantFrom('queue-metrics', 'Queue'),
    'flux-metrics/cpu-request': fc.constantFrom('50m', '3', '-1'),
    'flux-metrics/unknown': fc.constant(''),
    'flux-metrics/protect': fc.constantFrom('true', 'false', 'no'),
    'karpenter.sh/do-not-disrupt': fc.constantFrom('true', 'false', '30m'),
    'cluster-autoscaler.kubernetes.io/safe-to-evict': fc.constantFrom('true', 'false', ''),
  },
  { requiredKeys: [] },
)

const source = fc.constantFrom(
  { emptyDir: {} },
  { emptyDir: { medium: 'Memory' } },
  { persistentVolumeClaim: { claimName: 'data' } },
  { configMap: { name: 'scripts', defaultMode: 420 } },
  { secret: { secretName: 'munge' } },
)

const volumes = fc.uniqueArray(
  fc.tuple(name, source).map(([volume, from]): Volume => ({ name: volume, ...from })),
  { selector: (volume) => volume.name, maxLength: 5 },
)

/** Mount paths with which a socket can be shared, cannot be shared, or would be hidden. */
const mountPath = fc.constantFrom(
  '/',
  '/mnt',
  '/mnt/flux',
  '/mnt/flux/',
  '/mnt/flux/config/run/flux',
  '/mnt/fluxion',
  '/run',
  '/run/flux',
  '/data',
  '/var/run/secrets/kubernetes.io/serviceaccount',
)

const mountOptions = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ readOnly: true }, { subPath: 'a/b' }, { subPathExpr: '$(A)' }),
  },
)

function mountsOf(available: readonly Volume[]): fc.Arbitrary<VolumeMount[] | null> {
  if (available.length === 0) return fc.constantFrom([], null)
  const mount = fc
    .record({ volume: fc.constantFrom(...available), mountPath, options: mountOptions })
    .map(({ volume, mountPath: path, options }) => ({
      name: volume.name,
      mountPath: path,
      ...options,
    }))
  return fc.uniqueArray(mount, { selector: (drawn) => drawn.mountPath, maxLength: 4 })
}

const port = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(80, 8442, 65_535) },
  { weight: 1, arbitrary: fc.constant(8443) },
)

const ports = fc.array(
  fc.record({ containerPort: port, protocol: fc.constantFrom('TCP', 'UDP', null) }),
  { maxLength: 2 },
)

const resources = fc.constantFrom(
  {},
  null,
  { limits: { cpu: 1, memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } },
  { limits: { cpu: '500m' }, requests: { cpu: '50m', memory: '64Mi' } },
)

/** Container contexts that Pod Security "restricted" accepts with any context of the pod. */
const restricted = fc.record({
  runAsNonRoot: fc.constant(true),
  allowPrivilegeEscalation: fc.constant(false),
  capabilities: fc.constantFrom({ drop: ['ALL'] }, { drop: ['ALL'], add: ['NET_BIND_SERVICE'] }),
  seccompProfile: fc.constantFrom({ type: 'RuntimeDefault' }),
  runAsUser: fc.constantFrom(1000, 65_532),
})

const anyContext = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom({}, null, { runAsUser: 0 }, { privileged: true }) },
  { weight: 1, arbitrary: restricted },
)

function containersOf(
  available: readonly Volume[],
  context: fc.Arbitrary<Container['securityContext']>,
): fc.Arbitrary<Container> {
  return fc.record(
    {
      name,
      image: fc.constant('rockylinux:9'),
      env: fc.constant([{ name: 'JOB_COMPLETION_INDEX', value: '0' }]),
      ports,
      resources,
      volumeMounts: mountsOf(available),
      securityContext: context,
    },
    { requiredKeys: ['name', 'image', 'securityContext'] },
  )
}

export interface PodOptions {
  /** Only pods whose containers pass Pod Security "restricted". */
  readonly restricted?: boolean
}

/** Pods of index 0 without an owner. */
export function arbitraryPod(options: PodOptions = {}): fc.Arbitrary<Pod> {
  const context = options.restricted === true ? restricted : anyContext
  return volumes.chain((available) => {
    const all = fc.uniqueArray(containersOf(available, context), {
      selector: (container) => container.name,
      minLength: 1,
      maxLength: 6,
    })
    return fc
      .record({
        metadata: fc.record({
          labels: fc.option(labels),
          annotations: fc.tuple(annotations, settings).map((maps) => Object.assign({}, ...maps)),
        }),
        all,
        split: fc.integer({ min: 1, max: 4 }),
        spec: fc.record(
          {
            volumes: fc.constantFrom(available, ...(available.length === 0 ? [null] : [])),
            automountServiceAccountToken: fc.boolean(),
            securityContext: fc.constantFrom({}, null, { fsGroup: 1000 }, { runAsUser: 1000 }),
            restartPolicy: fc.constant('OnFailure'),
          },
          { requiredKeys: ['volumes'] },
        ),
      })
      .map(({ metadata, all: drawn, split, spec }) => {
        const initContainers = drawn.slice(split)
        return {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata,
          spec: {
            containers: drawn.slice(0, split),
            ...spec,
            ...(initContainers.length > 0 && { initContainers }),
          },
        }
      })
  })
}
