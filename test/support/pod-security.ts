// The profile "restricted" of the Pod Security Standards, which includes "baseline": the pods that the admission plugin
// PodSecurity refuses. Written from the text of the standard alone, for Linux pods without user namespaces.
import * as v from 'valibot'

const Capabilities = v.nullish(
  v.looseObject({
    add: v.optional(v.array(v.string()), []),
    drop: v.optional(v.array(v.string()), []),
  }),
)

const Context = v.nullish(
  v.looseObject({
    runAsUser: v.nullish(v.number()),
    runAsNonRoot: v.nullish(v.boolean()),
    privileged: v.nullish(v.boolean()),
    allowPrivilegeEscalation: v.nullish(v.boolean()),
    capabilities: Capabilities,
    procMount: v.nullish(v.string()),
    seccompProfile: v.nullish(v.looseObject({ type: v.string() })),
    appArmorProfile: v.nullish(v.looseObject({ type: v.string() })),
    seLinuxOptions: v.nullish(
      v.looseObject({
        type: v.optional(v.string(), ''),
        user: v.optional(v.string(), ''),
        role: v.optional(v.string(), ''),
      }),
    ),
    sysctls: v.nullish(v.array(v.looseObject({ name: v.string() }))),
  }),
)

const Handler = v.looseObject({
  httpGet: v.nullish(v.looseObject({ host: v.nullish(v.string()) })),
  tcpSocket: v.nullish(v.looseObject({ host: v.nullish(v.string()) })),
})

const Container = v.looseObject({
  name: v.string(),
  ports: v.nullish(v.array(v.looseObject({ hostPort: v.nullish(v.number()) }))),
  securityContext: Context,
  livenessProbe: v.nullish(Handler),
})

const Containers = v.nullish(v.array(Container))

const PodSchema = v.looseObject({
  spec: v.looseObject({
    containers: v.array(Container),
    initContainers: Containers,
    ephemeralContainers: Containers,
    securityContext: Context,
    hostNetwork: v.nullish(v.boolean()),
    hostPID: v.nullish(v.boolean()),
    hostIPC: v.nullish(v.boolean()),
    volumes: v.nullish(v.array(v.record(v.string(), v.unknown()))),
  }),
})

type SecurityContext = v.InferOutput<typeof Context>

const VOLUME_SOURCES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

const SELINUX_TYPES = [
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]

const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]

/** The violations of the profile, one line each; empty if the pod would be admitted. */
export function restrictedViolations(pod: unknown): readonly string[] {
  const { spec } = v.parse(PodSchema, pod)
  const { containers, initContainers, ephemeralContainers, securityContext } = spec
  const all = [...(initContainers ?? []), ...containers, ...(ephemeralContainers ?? [])]
  const hosts = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((key) => spec[key] === true)
  const sysctls = (securityContext?.sysctls ?? []).filter(
    ({ name }) => !SAFE_SYSCTLS.includes(name),
  )
  return [
    ...hosts,
    ...sysctls.map(({ name }) => `sysctl ${name}`),
    ...(spec.volumes ?? []).flatMap(volumeViolations),
    ...eitherViolations(securityContext).map((violation) => `pod: ${violation}`),
    ...all.flatMap((container) =>
      containerViolations(container, securityContext).map((what) => `${container.name}: ${what}`),
    ),
  ]
}

function volumeViolations(volume: Readonly<Record<string, unknown>>): readonly string[] {
  const sources = Object.keys(volume).filter((key) => key !== 'name')
  return sources.filter((source) => !VOLUME_SOURCES.includes(source)).map((key) => `volume ${key}`)
}

/** Violations that a pod's and a container's security context can have. */
function eitherViolations(context: SecurityContext): readonly string[] {
  const { runAsUser, runAsNonRoot, seccompProfile, appArmorProfile } = context ?? {}
  const { type = '', user = '', role = '' } = context?.seLinuxOptions ?? {}
  return named({
    runAsUser: runAsUser === 0,
    runAsNonRoot: runAsNonRoot === false,
    seccompProfile: seccompProfile?.type === 'Unconfined',
    appArmorProfile: appArmorProfile?.type === 'Unconfined',
    seLinuxOptions: !SELINUX_TYPES.includes(type) || user !== '' || role !== '',
  })
}

function containerViolations(
  { securityContext: own, ports, livenessProbe }: v.InferOutput<typeof Container>,
  pods: SecurityContext,
): readonly string[] {
  const { add = [], drop = [] } = own?.capabilities ?? {}
  const seccomp = (own?.seccompProfile ?? pods?.seccompProfile)?.type
  const hosts = [livenessProbe?.httpGet?.host, livenessProbe?.tcpSocket?.host]
  return [
    ...eitherViolations(own),
    ...named({
      privileged: own?.privileged === true,
      procMount: (own?.procMount ?? 'Default') !== 'Default',
      hostPort: (ports ?? []).some(({ hostPort }) => (hostPort ?? 0) !== 0),
      probeHost: hosts.some((host) => (host ?? '') !== ''),
      allowPrivilegeEscalation: own?.allowPrivilegeEscalation !== false,
      'capabilities.add': add.some((capability) => capability !== 'NET_BIND_SERVICE'),
      'capabilities.drop': !drop.includes('ALL'),
      'runAsNonRoot unset': (own?.runAsNonRoot ?? pods?.runAsNonRoot) !== true,
      'seccompProfile unset': seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost',
    }),
  ]
}

function named(violations: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(violations).flatMap(([name, isViolated]) => (isViolated ? [name] : []))
}
