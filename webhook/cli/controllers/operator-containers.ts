// The containers of the operator's pods: the init container with Flux, and the containers of the user. The scripts of the
// operator that run in them are left out. Pure.
import type { Json } from '../../objects/json.ts'
import type { ContainerSource, MiniClusterSource } from '../input/files/minicluster-source.ts'
import { omitEmpty } from './omit-empty.ts'
import { ownMounts, SCRIPT_FOLDER, scriptOf, userMounts } from './operator-volumes.ts'

/** The init container that copies Flux and its configuration into a volume that all containers mount. */
export function viewContainer(name: string, spec: MiniClusterSource['spec']): Json {
  const view = spec.flux.container
  return {
    name: view.name,
    image: view.image,
    imagePullPolicy: view.pullAlways ? 'Always' : 'IfNotPresent',
    command: ['/bin/bash', `${SCRIPT_FOLDER}flux-init.sh`],
    ...omitEmpty({ workingDir: view.workingDir }),
    stdin: true,
    tty: true,
    resources: view.resources,
    securityContext: view.securityContext,
    volumeMounts: ownMounts(name, spec),
  }
}

/** The containers of the user, in their order. */
export function userContainers(name: string, spec: MiniClusterSource['spec']): readonly Json[] {
  return spec.containers.map((container, index) => {
    const script = scriptOf(container, index)
    return {
      // The container that runs Flux gets the name of the MiniCluster.
      name: container.runFlux ? name : container.name,
      image: container.image,
      imagePullPolicy: pullPolicyOf(container),
      ...(script !== undefined && { command: ['/bin/bash', `${SCRIPT_FOLDER}${script}.sh`] }),
      ...omitEmpty({
        workingDir: container.workingDir,
        ports: container.ports.map((containerPort) => ({ containerPort, protocol: 'TCP' })),
        env: environmentOf(container),
      }),
      stdin: true,
      tty: true,
      lifecycle: omitEmpty({
        postStart: handlerOf(container.lifeCycle.postStartExec),
        preStop: handlerOf(container.lifeCycle.preStopExec),
      }),
      resources: container.resources,
      securityContext: container.securityContext,
      // The operator also mounts the volumes of the containers before this one.
      volumeMounts: [
        ...ownMounts(name, spec),
        { name: 'spack-software', mountPath: '/opt/software' },
        ...userMounts(spec.containers.slice(0, index + 1)),
      ],
    }
  })
}

function pullPolicyOf({ pullAlways, imagePullPolicy }: ContainerSource): string {
  return pullAlways ? 'Always' : imagePullPolicy || 'IfNotPresent'
}

function environmentOf({ environment, secrets }: ContainerSource): readonly Json[] {
  return [
    ...Object.entries(environment).map(([name, value]) => ({ name, value })),
    ...Object.entries(secrets).map(([variable, { name, key }]) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name, key } },
    })),
  ]
}

function handlerOf(command: string | null | undefined): Json {
  return (command ?? '') === '' ? {} : { exec: { command: [command] } }
}
