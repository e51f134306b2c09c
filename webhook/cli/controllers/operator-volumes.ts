// The volumes of the operator's pods and their mounts: those of the operator, and those that the user's containers name. Pure.
import type { Json } from '../../objects/json.ts'
import type {
  ContainerSource,
  MiniClusterSource,
  VolumeSource,
} from '../input/files/minicluster-source.ts'
import { omitEmpty } from './omit-empty.ts'

export const SCRIPT_FOLDER = '/flux_operator/'

/** The mounts of the operator in every container. */
export function ownMounts(name: string, { flux }: MiniClusterSource['spec']): readonly Json[] {
  return [
    { name: 'flux-operator-home', mountPath: '/home/flux-operator' },
    { name: flux.container.name, mountPath: flux.container.mountPath },
    { name: `${name}-entrypoint`, mountPath: SCRIPT_FOLDER, readOnly: true },
  ]
}

export function ownVolumes(
  name: string,
  { containers, flux }: MiniClusterSource['spec'],
): readonly Json[] {
  const executable = (key: string, path: string) => ({ key, path, mode: 0o777 })
  const view = flux.container.name
  const items = [
    ...containers.flatMap((container, index) => {
      const script = scriptOf(container, index)
      return script === undefined ? [] : [executable(script, `${script}.sh`)]
    }),
    executable(view, 'flux-init.sh'),
    { key: 'curve.cert', path: 'curve.cert' },
  ]
  return [
    { name: 'spack-software', emptyDir: {} },
    { name: 'flux-operator-home', emptyDir: {} },
    { name: view, emptyDir: {} },
    { name: `${name}-entrypoint`, configMap: { name: `${name}-entrypoint`, items } },
  ]
}

/** The script that starts a container; `undefined` for a container that keeps its own entrypoint. */
export function scriptOf(
  { runFlux, noWrapEntrypoint }: ContainerSource,
  index: number,
): string | undefined {
  if (runFlux) return `wait-${index}`
  return noWrapEntrypoint ? undefined : `start-${index}`
}

/** The volumes that containers name. If several use the same name, the last one decides the kind. */
export function userVolumes(containers: readonly ContainerSource[]): readonly Json[] {
  const volumes = new Map(containers.flatMap(({ volumes }) => Object.entries(volumes)))
  return [...volumes].map(([name, volume]) => userVolume(name, volume))
}

/** The mounts of these volumes. If several containers use the same name, the first one decides the mount. */
export function userMounts(containers: readonly ContainerSource[]): readonly Json[] {
  const mounts = new Map<string, Json>()
  for (const [name, volume] of containers.flatMap(({ volumes }) => Object.entries(volumes))) {
    const { emptyDir, path, readOnly } = volume
    const mount = emptyDir
      ? { name, mountPath: '/dev/shm' }
      : { name, mountPath: path, ...omitEmpty({ readOnly }) }
    if (!mounts.has(name)) mounts.set(name, mount)
  }
  return [...mounts.values()]
}

function userVolume(name: string, volume: VolumeSource): Json {
  if (volume.csiDriver !== '') {
    const { csiDriver: driver, csiDriverAttributes: volumeAttributes } = volume
    return { name, csi: { driver, ...omitEmpty({ volumeAttributes }) } }
  }
  if (volume.secretName !== '') return { name, secret: { secretName: volume.secretName } }
  if (volume.emptyDir) {
    const medium = volume.emptyDirMedium === 'memory' ? 'Memory' : ''
    return { name, emptyDir: omitEmpty({ medium, sizeLimit: volume.emptyDirSizeLimit }) }
  }
  if (volume.hostPath !== '')
    return { name, hostPath: { path: volume.hostPath, type: 'Directory' } }
  if (volume.configMapName !== '') {
    // The operator uses the name of the ConfigMap here, though the mount has the name of the volume.
    const { configMapName } = volume
    const items = Object.entries(volume.items).map(([key, path]) => ({ key, path }))
    return { name: configMapName, configMap: { name: configMapName, ...omitEmpty({ items }) } }
  }
  return { name, persistentVolumeClaim: { claimName: volume.claimName } }
}
