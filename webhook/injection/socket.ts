// Where the broker's socket is, and how a second container of the pod gets at it: over the volume that already covers its
// folder, or over one more. Pure.
import { posix } from 'node:path'
import { brokerUser, type Container, type Pod, type Volume, type VolumeMount } from './pod.ts'

/** How our container reaches the socket. */
export type SocketPlace =
  /** A volume of the pod covers the folder; it is mounted at the same path. */
  | { readonly kind: 'shared'; readonly path: string; readonly mount: VolumeMount }
  /** None does: a new empty one goes to both containers. For brokers of root only. */
  | { readonly kind: 'new'; readonly path: string; readonly folder: string }

/** It does not. `reason` is a sentence for people. */
export interface Unreachable {
  readonly kind: 'unreachable'
  readonly reason: string
}

/** sockaddr_un holds 108 bytes, the last of them 0. */
export const MAX_SOCKET_BYTES = 107

/** What a container cannot make a socket in. */
const READ_ONLY_SOURCES = ['configMap', 'secret', 'downwardAPI', 'projected', 'image']

/** A volume there would hide what our image needs to run. */
const NEEDED_BY_US = new Set(['/', '/app', '/nodejs', '/etc', '/usr', '/usr/lib', '/lib', '/lib64'])

/** Where our own volumes are mounted. The runtime could not make their folders in one that is read-only. */
const OURS = ['/var/run/flux-metrics', '/run/flux-metrics', '/var/run/secrets', '/run/secrets']

/** The runtime refuses new volumes there. */
const KERNELS = ['/dev', '/proc', '/sys']

/** Finds the place of the socket at `path`, which the first container that shares its folder makes. */
export function placeSocket(pod: Pod, path: string): SocketPlace | Unreachable {
  if (!isSocketPath(path)) {
    const reason = `The socket's path "${path.slice(0, MAX_SOCKET_BYTES)}" is none that we can use: see spec.flux.container.mountPath`
    return { kind: 'unreachable', reason }
  }
  const folder = posix.dirname(path)
  const volumes = new Map(pod.spec.volumes?.map((volume) => [volume.name, volume]))
  const covers = pod.spec.containers.flatMap((container) => coverOf(container, folder) ?? [])
  const [mount] = covers.filter((cover) => isShareable(cover, volumes.get(cover.name)))
  if (mount !== undefined) return share(path, mount)
  const [cover] = covers
  if (cover !== undefined) {
    const reason = `The socket's folder ${folder} is on volume "${cover.name}", which cannot be shared`
    return { kind: 'unreachable', reason }
  }
  return makeVolume(pod, path)
}

function share(path: string, mount: VolumeMount): SocketPlace | Unreachable {
  if (!isInOurWay(normalize(mount.mountPath))) return { kind: 'shared', path, mount }
  const reason = `The socket's volume is mounted at ${mount.mountPath}, where the sidecar has its own files`
  return { kind: 'unreachable', reason }
}

/** A broker refuses a folder that its own user does not own, and a new volume is root's. */
function makeVolume(pod: Pod, path: string): SocketPlace | Unreachable {
  const folder = posix.dirname(path)
  if (isInOurWay(folder) || KERNELS.some((kernels) => isWithin(folder, kernels))) {
    const reason = `No volume covers the socket's folder ${folder}, and a new one cannot be there: it would hide files that containers need`
    return { kind: 'unreachable', reason }
  }
  const [broker] = pod.spec.containers
  const nonRoot = broker?.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot
  if ((brokerUser(pod) ?? 0) === 0 && nonRoot !== true) return { kind: 'new', path, folder }
  const reason = `No volume covers the socket's folder ${folder}, and a new one is for brokers of root: mount one there`
  return { kind: 'unreachable', reason }
}

/** The container's innermost mount above or at a folder. */
function coverOf({ volumeMounts }: Container, folder: string): VolumeMount | undefined {
  return (volumeMounts ?? [])
    .filter(({ mountPath }) => isWithin(folder, normalize(mountPath)))
    .toSorted((a, b) => normalize(b.mountPath).length - normalize(a.mountPath).length)[0]
}

/** `subPathExpr` may hold variables of the container that has it. */
function isShareable({ readOnly, subPathExpr }: VolumeMount, volume: Volume | undefined): boolean {
  if (readOnly === true || (subPathExpr ?? '') !== '' || volume === undefined) return false
  return !READ_ONLY_SOURCES.some((source) => volume[source] !== undefined)
}

function isInOurWay(mountPath: string): boolean {
  const isOurs = OURS.some((own) => isWithin(own, mountPath) || isWithin(mountPath, own))
  return isOurs || NEEDED_BY_US.has(mountPath)
}

function isWithin(folder: string, mountPath: string): boolean {
  return mountPath === '/' || folder === mountPath || folder.startsWith(`${mountPath}/`)
}

function normalize(path: string): string {
  return path === '/' ? path : path.replace(/\/+$/, '')
}

/** Whether a text is a path that a socket may have, and be told of in a variable. */
export function isSocketPath(path: string): boolean {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SOCKET_BYTES) return false
  const parts = path.slice(1).split('/')
  return (
    parts.length > 1 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    // Nothing that a URI, an environment variable's $(…) or a log line could misread.
    /^[-\w./+@,=]+$/.test(path)
  )
}
