// Service meshes. Their proxies take over all ports of a pod, and under strict mTLS they refuse the API server, which has no
// certificate of the mesh, and the kubelet's probe. So the sidecar's port, which has TLS of its own, is left out. Pure.
import { allContainers, type Pod } from '../objects/pod.ts'

type Strings = Readonly<Record<string, string>>

interface Mesh {
  readonly name: string
  /** The name of the proxy's container. */
  readonly proxy: string
  /** The annotation with the ports that the proxy does not take over, separated by commas. */
  readonly excludedPorts: string
  /** Whether the pod asks for a proxy; `undefined` if it does not say. */
  asks(labels: Strings, annotations: Strings): boolean | undefined
  /** The beginnings of the mesh's annotations. A pod that has one is in the mesh, unless it asks not to be. */
  readonly prefixes: readonly string[]
}

const ISTIO: Mesh = {
  name: 'Istio',
  proxy: 'istio-proxy',
  excludedPorts: 'traffic.sidecar.istio.io/excludeInboundPorts',
  // Istio's own order: the label, then the annotation of older releases, then the label of a revision.
  asks: (labels, annotations) => {
    const inject = labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject']
    if (inject !== undefined) return inject !== 'false'
    return labels['istio.io/rev'] === undefined ? undefined : true
  },
  prefixes: ['sidecar.istio.io/', 'traffic.sidecar.istio.io/', 'proxy.istio.io/'],
}

const LINKERD: Mesh = {
  name: 'Linkerd',
  proxy: 'linkerd-proxy',
  excludedPorts: 'config.linkerd.io/skip-inbound-ports',
  asks: (_labels, annotations) => {
    const inject = annotations['linkerd.io/inject']
    return inject === undefined ? undefined : inject !== 'disabled'
  },
  prefixes: ['config.linkerd.io/', 'config.alpha.linkerd.io/'],
}

const MESHES: readonly Mesh[] = [ISTIO, LINKERD]

/** The annotations that keep a port out of the proxies of the pod. Ports of the user stay excluded. */
export function meshAnnotations(pod: Pod, port: number): Strings {
  const open = MESHES.filter((mesh) => isMeshed(pod, mesh) && !isExcluded(pod, mesh, port))
  return Object.fromEntries(
    open.map(({ excludedPorts }) => [excludedPorts, withPort(pod, excludedPorts, port)]),
  )
}

/**
 * A mesh reads the annotation when it adds its proxy. Its webhook comes after ours, in the order of their names; where it came
 * first all the same, only the user can exclude the port.
 */
export function meshWarnings(pod: Pod, port: number): readonly string[] {
  const late = MESHES.filter((mesh) => hasProxy(pod, mesh) && !isExcluded(pod, mesh, port))
  return late.map(
    ({ name, excludedPorts }) =>
      `Set ${excludedPorts}: "${port}" in spec.pod.annotations: ${name}'s proxy was added before the sidecar, ` +
      'and under strict mTLS it refuses the API server',
  )
}

function isMeshed(pod: Pod, mesh: Mesh): boolean {
  if (hasProxy(pod, mesh)) return true
  const { labels, annotations } = pod.metadata
  const keys = Object.keys(annotations ?? {})
  const asks = mesh.asks(labels ?? {}, annotations ?? {})
  return asks ?? keys.some((key) => mesh.prefixes.some((prefix) => key.startsWith(prefix)))
}

function hasProxy(pod: Pod, { proxy }: Mesh): boolean {
  return allContainers(pod).some(({ name }) => name === proxy)
}

/** Linkerd takes ranges too: `8000-9000`. */
function isExcluded({ metadata }: Pod, { excludedPorts }: Mesh, port: number): boolean {
  return (metadata.annotations?.[excludedPorts] ?? '').split(',').some((text) => {
    const [first, last = first] = text.trim().split('-').map(Number)
    return first !== undefined && last !== undefined && first <= port && port <= last
  })
}

function withPort({ metadata }: Pod, annotation: string, port: number): string {
  const present = metadata.annotations?.[annotation]?.trim() ?? ''
  return present === '' ? String(port) : `${present},${port}`
}
