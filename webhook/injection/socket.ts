// How the sidecar reaches the broker's socket: through the pod's volume that covers the socket's folder, or through a new
// volume. Pure.
import { posix } from 'node:path'
import { brokerUser, type Container, type Pod, type Volume, type VolumeMount } from './pod.ts'

/** The volume through which the sidecar reaches the socket at `path`. */
export type SocketPlace =
  /** A volume of the pod covers the folder: the sidecar mounts it at the same path. */
  | { readonly kind: 'shared'; readonly path: string; readonly mount: VolumeMount }
  /** No volume covers the folder: both containers mount a new, empty one. Only for a broker that runs as root. */
  | { readonly kind: 'new'; readonly path: string; readonly folder: string }

/** The sidecar cannot reach the socket. `reason` is a sentence for people. */
export interface Unreachable {
  readonly kind: 'unreachable'
  readonly reason: string
}

/** sockaddr_un holds 108 bytes, the last of them 0. */
export const MAX_SOCKET_BYTES = 107

/** Volumes in which no container can make a socket. */
const READ_ONLY_SOURCES = ['configMap', 'secret', 'downwardAPI', 'projected', 'image']

/** Folders of the sidecar's image. A volume mounted there would hide files that the sidecar needs to run. */
const IMAGE_FOLDERS = new Set([
  '/',
  '/app',
  '/nodejs',
  '/etc',
  '/usr',
  '/usr/lib',
  '/lib',
  '/lib64',
])

/** Mount points of the sidecar's own volumes. The runtime cannot make these folders in a read-only mount above them. */
const OWN_FOLDERS = [
  '/var/run/flux-metrics',
  '/run/flux-metrics',
  '/var/run/secrets',
  '/run/secrets',
]

/** File systems of the kernel: the container runtime refuses new volumes there. */
const KERNEL_FOLDERS = ['/dev', '/proc', '/sys']

/** Finds the volume with the socket at `path`. The first container with a shareable mount of its folder makes the socket. */
export function placeSocket(pod: Pod, path: string): SocketPlace | Unreachable {
  if (!isSocketPath(path)) {
    const reason = `Cannot use the socket path "${path.slice(0, MAX_SOCKET_BYTES)}": check length and characters of spec.flux.container.mountPath`
    return { kind: 'unreachable', reason }
  }
  const folder = posix.dirname(path)
  const volumes = new Map(pod.spec.volumes?.map((volume) => [volume.name, volume]))
  const covers = pod.spec.containers.flatMap((container) => coverOf(container, folder) ?? [])
  const [mount] = covers.filter((cover) => isShareable(cover, volumes.get(cover.name)))
  if (mount !== undefined) return share(path, mount)
  const [cover] = covers
  if (cover !== undefined) {
    const reason = `The sidecar cannot share volume "${cover.name}" with the socket's folder ${folder}: mount a writable volume there`
    return { kind: 'unreachable', reason }
  }
  return makeVolume(pod, path)
}

function share(path: string, mount: VolumeMount): SocketPlace | Unreachable {
  if (!hidesOwnFiles(normalize(mount.mountPath))) return { kind: 'shared', path, mount }
  const reason = `The socket's volume is mounted at ${mount.mountPath}, where the sidecar has its own files: mount it elsewhere`
  return { kind: 'unreachable', reason }
}

/** A new volume belongs to root, and a broker refuses a folder that its own user does not own. */
function makeVolume(pod: Pod, path: string): SocketPlace | Unreachable {
  const folder = posix.dirname(path)
  if (hidesOwnFiles(folder) || KERNEL_FOLDERS.some((kernel) => isWithin(folder, kernel))) {
    const reason = `No volume is mounted for the socket's folder ${folder}, and a new one there would hide files: move the socket to another folder`
    return { kind: 'unreachable', reason }
  }
  const [broker] = pod.spec.containers
  const nonRoot = broker?.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot
  if ((brokerUser(pod) ?? 0) === 0 && nonRoot !== true) return { kind: 'new', path, folder }
  const reason = `No volume is mounted for the socket's folder ${folder}, and a new one needs a broker that runs as root: mount a volume there`
  return { kind: 'unreachable', reason }
}

/** The container's innermost mount at or above a folder. */
function coverOf({ volumeMounts }: Container, folder: string): VolumeMount | undefined {
  return (volumeMounts ?? [])
    .filter(({ mountPath }) => isWithin(folder, normalize(mountPath)))
    .toSorted((a, b) => normalize(b.mountPath).length - normalize(a.mountPath).length)[0]
}

/** A `subPathExpr` may use variables that only its own container has. */
function isShareable({ readOnly, subPathExpr }: VolumeMount, volume: Volume | undefined): boolean {
  if (readOnly === true || (subPathExpr ?? '') !== '' || volume === undefined) return false
  return !READ_ONLY_SOURCES.some((source) => volume[source] !== undefined)
}

/** Whether a mount would hide files of the sidecar's image, or overlaps a mount point of its own volumes. */
function hidesOwnFiles(mountPath: string): boolean {
  const overlaps = OWN_FOLDERS.some((own) => isWithin(own, mountPath) || isWithin(mountPath, own))
  return overlaps || IMAGE_FOLDERS.has(mountPath)
}

function isWithin(folder: string, mountPath: string): boolean {
  return mountPath === '/' || folder === mountPath || folder.startsWith(`${mountPath}/`)
}

function normalize(path: string): string {
  return path === '/' ? path : path.replace(/\/+$/, '')
}

/** Whether a socket may have this path, and the path is safe in an environment variable. */
export function isSocketPath(path: string): boolean {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SOCKET_BYTES) return false
  const parts = path.slice(1).split('/')
  return (
    parts.length > 1 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    // No characters with a meaning in a URI, in an environment variable's $(…) or in a log line.
    /^[-\w./+@,=]+$/.test(path)
  )
}
