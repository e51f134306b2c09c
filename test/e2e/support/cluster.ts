// The cluster under test: typed clients, and the creation and removal of objects. It does not know Flux.
import { join } from 'node:path'
import {
  AutoscalingV2Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type RequestContext,
  ServerConfiguration,
} from '@kubernetes/client-node'
import { absentAsUndefined } from '../../support/api-answers.ts'
import { kubectl } from './kubectl.ts'
import { OWN_LABEL } from './manifests.ts'
import { holds } from './wait.ts'

const CRD_FILE = join(import.meta.dirname, '../../recordings/kubernetes/miniclusters-crd.yaml')
const CRD = 'miniclusters.flux-framework.org'

/** Whether a run leaves the installation and the CRD to the next one. For a cluster that is thrown away. */
export const KEEPS = process.env.E2E_KEEP === 'true'

/** Clients of one kubeconfig. */
export interface Cluster {
  readonly kubeConfig: KubeConfig
  readonly objects: KubernetesObjectApi
  readonly core: CoreV1Api
  readonly batch: BatchV1Api
  readonly autoscaling: AutoscalingV2Api
  readonly custom: CustomObjectsApi
}

export function connect(): Cluster {
  if (process.env.KUBECONFIG === undefined) {
    throw new Error('Cannot reach a cluster: KUBECONFIG is not set')
  }
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  return {
    kubeConfig,
    objects: KubernetesObjectApi.makeApiClient(kubeConfig),
    core: coreApi(kubeConfig),
    batch: kubeConfig.makeApiClient(BatchV1Api),
    autoscaling: kubeConfig.makeApiClient(AutoscalingV2Api),
    custom: kubeConfig.makeApiClient(CustomObjectsApi),
  }
}

/**
 * A client that keeps its connections. The library opens one for each call, so a test that creates thousands of pods would
 * spend its time on TLS handshakes.
 */
function coreApi(kubeConfig: KubeConfig): CoreV1Api {
  const baseServer = new ServerConfiguration(kubeConfig.getCurrentCluster()?.server ?? '', {})
  const { httpApi } = createConfiguration({ baseServer })
  let connections: ReturnType<RequestContext['getDispatcher']>
  return new CoreV1Api(
    createConfiguration({
      baseServer,
      authMethods: { default: kubeConfig },
      httpApi: {
        send(request: RequestContext) {
          connections ??= request.getDispatcher()
          if (connections !== undefined) request.setDispatcher(connections)
          return httpApi.send(request)
        },
      },
    }),
  )
}

export async function createNamespace({ objects }: Cluster): Promise<string> {
  const created: KubernetesObject = await objects.create<KubernetesObject>({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { generateName: 'flux-metrics-e2e-', labels: OWN_LABEL },
  })
  return created.metadata?.name ?? ''
}

/** Deletes an object, if it exists, and waits until it does not exist. */
export async function remove({ objects }: Cluster, object: KubernetesObject): Promise<void> {
  const { apiVersion = '', kind = '' } = object
  const { name = '', namespace } = object.metadata ?? {}
  const header = {
    apiVersion,
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
  }
  await absentAsUndefined(
    objects.delete(header, undefined, undefined, undefined, undefined, 'Background'),
  )
  await holds(
    `the end of ${kind} "${name}"`,
    async () => (await absentAsUndefined(objects.read(header))) === undefined,
  )
}

/** Creates the CRD of MiniCluster if the cluster has none. A cluster with the real operator keeps its own. */
export async function installCrd(cluster: Cluster): Promise<void> {
  const present = await absentAsUndefined(cluster.objects.read(crdHeader()))
  if (present !== undefined) return
  const applied = await kubectl(['create', '-f', CRD_FILE])
  // Another file that runs at the same time may have been quicker.
  const isThere = applied.code === 0 || /AlreadyExists/.test(applied.stderr)
  if (!isThere) throw new Error(`Cannot create the CRD: ${applied.stderr.trim()}`)
  const labelled = await kubectl(['label', 'crd', CRD, ...labelArguments()])
  if (labelled.code !== 0) throw new Error(`Cannot label the CRD: ${labelled.stderr.trim()}`)
  await kubectl(['wait', '--for=condition=Established', `crd/${CRD}`, '--timeout=60s'])
}

/** Removes the CRD if an e2e run created it, unless it is kept. */
export async function removeCrd(cluster: Cluster): Promise<void> {
  if (KEEPS) return
  const present = await absentAsUndefined(cluster.objects.read(crdHeader()))
  if (present !== undefined && isOurs(present)) await remove(cluster, present)
}

function crdHeader() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: CRD },
  }
}

function labelArguments(): string[] {
  return Object.entries(OWN_LABEL).map(([key, value]) => `${key}=${value}`)
}

function isOurs(object: KubernetesObject): boolean {
  return Object.entries(OWN_LABEL).every(([key, value]) => object.metadata?.labels?.[key] === value)
}
