// How the sidecar reaches the broker's socket: through the broker's volume that covers the socket's folder, or through a new
// volume. Pure.
import { posix } from 'node:path'
import { brokerOf, brokerUser, type Pod, type Volume, type VolumeMount } from '../objects/pod.ts'
import { isSocketPath, MAX_SOCKET_BYTES } from '../objects/socket-path.ts'

/** The volume through which the sidecar reaches the socket at `path`. */
export type SocketPlace =
  /** A volume of the broker's container covers the folder: the sidecar mounts it at the same path. */
  | { readonly kind: 'shared'; readonly path: string; readonly mount: VolumeMount }
  /** No volume covers the folder: both containers mount a new, empty one. Only for a broker that starts as root. */
  | { readonly kind: 'new'; readonly path: string; readonly folder: string }

/** The sidecar cannot reach the socket. `reason` tells people the cure first: `kubectl` cuts long warnings. */
export interface Unreachable {
  readonly kind: 'unreachable'
  readonly reason: string
}

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

/**
 * Folders that images leave empty, or fill while they run: only there, and below, a new volume hides nothing. Of `/run` and
 * `/var/run` only the folders below are left, because the sidecar has files of its own in both.
 */
const SOCKET_FOLDERS = ['/run', '/var/run', '/tmp', '/mnt']

/**
 * Finds the volume with the socket at `path`. Only the broker's own mounts count: it makes the socket.
 *
 * @param minicluster the name of the MiniCluster, and so of its broker's container
 */
export function placeSocket(
  pod: Pod,
  path: string,
  minicluster: string,
): SocketPlace | Unreachable {
  if (!isSocketPath(path)) {
    const shown = path.slice(0, MAX_SOCKET_BYTES)
    return unreachable(
      `Check length and characters of spec.flux.container.mountPath: cannot use the socket path "${shown}"`,
    )
  }
  const folder = posix.dirname(path)
  const mount = coverOf(brokerOf(pod, minicluster)?.volumeMounts ?? [], folder)
  if (mount === undefined) return makeVolume(pod, path, minicluster)
  const volume = pod.spec.volumes?.find(({ name }) => name === mount.name)
  if (isShareable(mount, volume)) return share(path, mount)
  return unreachable(
    `Mount a writable volume at the socket's folder ${folder}: the sidecar cannot share volume "${mount.name}"`,
  )
}

function share(path: string, mount: VolumeMount): SocketPlace | Unreachable {
  if (!hidesOwnFiles(normalize(mount.mountPath))) return { kind: 'shared', path, mount }
  return unreachable(
    `Mount the socket's volume elsewhere: the sidecar has its own files at ${mount.mountPath}`,
  )
}

/** A new volume belongs to root, and a broker refuses a folder that its own user does not own. */
function makeVolume(pod: Pod, path: string, minicluster: string): SocketPlace | Unreachable {
  const folder = posix.dirname(path)
  const isMadeForSockets = SOCKET_FOLDERS.some((made) => isWithin(folder, made))
  if (!isMadeForSockets || hidesOwnFiles(folder)) {
    return unreachable(
      `Mount a volume at the socket's folder, or move the socket below /run, /tmp or /mnt: a new volume at ${folder} could hide files`,
    )
  }
  const ofContainer = brokerOf(pod, minicluster)?.securityContext?.runAsNonRoot
  const nonRoot = ofContainer ?? pod.spec.securityContext?.runAsNonRoot
  if ((brokerUser(pod, minicluster) ?? 0) === 0 && nonRoot !== true) {
    return { kind: 'new', path, folder }
  }
  return unreachable(
    `Mount a volume at the socket's folder: the broker does not run as root, as a new volume needs at ${folder}`,
  )
}

function unreachable(reason: string): Unreachable {
  return { kind: 'unreachable', reason }
}

/** The innermost mount at or above a folder. */
function coverOf(mounts: readonly VolumeMount[], folder: string): VolumeMount | undefined {
  return mounts
    .map((mount) => ({ mount, at: normalize(mount.mountPath) }))
    .filter(({ at }) => isWithin(folder, at))
    .toSorted((a, b) => b.at.length - a.at.length)[0]?.mount
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

/** As the kubelet and the container runtime take it: relative to `/`, and each of `//`, `/./` and `/../` resolved. */
function normalize(path: string): string {
  return posix.resolve('/', path)
}
