// A stand-in for the Flux Operator: a controller that treats a MiniCluster as the real operator was seen to do on a cluster,
// including its answers to invalid sizes. It creates the objects of operator-objects.ts and follows `spec.size`.
import {
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Job,
  type V1Pod,
  type V1PodTemplateSpec,
} from '@kubernetes/client-node'
import { absentAsUndefined, existingAsDone } from './api-answers.ts'
import { isMiniCluster, MINICLUSTERS, type MiniCluster } from './minicluster.ts'
import {
  conditions,
  entrypoint,
  headlessService,
  identity,
  indexedJob,
} from './operator-objects.ts'

const JOB_INDEX = 'job-index'
const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** The operator writes its label seconds after the creation of a pod. */
const JOB_INDEX_DELAY_MS = 2_000
/** The delay before a failed watch or reconciliation is tried again. */
const RETRY_MS = 1_000

const MERGE_PATCH = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig
  readonly namespaces: readonly string[]
  /** Changes the pod template before the Job is created, such as a webhook would change pods. */
  readonly decorate?: (template: V1PodTemplateSpec, cluster: MiniCluster) => V1PodTemplateSpec
  readonly log?: (line: string) => void
}

/** The controller. `start` returns when it watches; `stop` leaves all objects unchanged. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #core: CoreV1Api
  readonly #batch: BatchV1Api
  readonly #custom: CustomObjectsApi
  readonly #informers: Informer<KubernetesObject>[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #invalidSizes = new Map<string, number>()
  /** Reconciliations run one after the other. */
  #work: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: OperatorOptions) {
    this.#options = options
    this.#core = options.kubeConfig.makeApiClient(CoreV1Api)
    this.#batch = options.kubeConfig.makeApiClient(BatchV1Api)
    this.#custom = options.kubeConfig.makeApiClient(CustomObjectsApi)
  }

  async start(): Promise<void> {
    for (const namespace of this.#options.namespaces) {
      const { group, version, plural } = MINICLUSTERS
      await this.#watch<KubernetesObject>(
        `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
        () => this.#custom.listNamespacedCustomObject({ ...MINICLUSTERS, namespace }),
        (object) => this.#enqueue(namespace, object.metadata?.name ?? ''),
      )
      await this.#watch<V1Pod>(
        `/api/v1/namespaces/${namespace}/pods`,
        () => this.#core.listNamespacedPod({ namespace }),
        (pod) => this.#labelLater(pod),
      )
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#informers.map(async (informer) => informer.stop()))
    await this.#work
  }

  async #watch<T extends KubernetesObject>(
    path: string,
    list: () => Promise<KubernetesListObject<T>>,
    changed: (object: T) => void,
  ): Promise<void> {
    const informer = makeInformer<T>(this.#options.kubeConfig, path, list)
    informer.on('add', changed)
    informer.on('update', changed)
    informer.on('error', () => this.#later(RETRY_MS, async () => informer.start()))
    this.#informers.push(informer)
    await informer.start()
  }

  #later(ms: number, act: () => Promise<void>): void {
    if (this.#stopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void act().catch((error: unknown) => this.#log(`operator: ${String(error)}`))
    }, ms)
    this.#timers.add(timer)
  }

  #enqueue(namespace: string, name: string): void {
    if (this.#stopped) return
    this.#work = this.#work
      .then(() => this.#reconcile(namespace, name))
      .catch((error: unknown) => {
        this.#log(`operator: ${namespace}/${name}: ${String(error)}`)
        this.#later(RETRY_MS, async () => this.#enqueue(namespace, name))
      })
  }

  async #reconcile(namespace: string, name: string): Promise<void> {
    const cluster = await absentAsUndefined<unknown>(
      this.#custom.getNamespacedCustomObject({ ...MINICLUSTERS, namespace, name }),
    )
    if (!isMiniCluster(cluster) || cluster.metadata?.deletionTimestamp !== undefined) return
    if (this.#isInvalid(cluster)) return
    const maximumSize = cluster.spec.maxSize ?? cluster.status?.maximumSize ?? cluster.spec.size
    if (cluster.spec.size > maximumSize) {
      this.#log(`operator: ${namespace}/${name}: size ${cluster.spec.size} back to ${maximumSize}`)
      await this.#custom.patchNamespacedCustomObject(
        { ...MINICLUSTERS, namespace, name, body: { spec: { size: maximumSize } } },
        MERGE_PATCH,
      )
      return
    }
    const job = await absentAsUndefined(this.#batch.readNamespacedJob({ namespace, name }))
    if (job === undefined) await this.#create(cluster, maximumSize)
    else await this.#resize(cluster, job)
  }

  /** With a size of 0 or outside minSize … maxSize, the operator does nothing until the size is valid again. */
  #isInvalid(cluster: MiniCluster): boolean {
    const { name, namespace } = identity(cluster)
    const { size, minSize, maxSize } = cluster.spec
    const key = `${namespace}/${name}`
    const valid = size >= (minSize ?? 1) && size >= 1 && (maxSize === undefined || size <= maxSize)
    if (valid) {
      this.#invalidSizes.delete(key)
      return false
    }
    if (this.#invalidSizes.get(key) !== size) {
      this.#log(`operator: ${key}: invalid size ${size}: doing nothing until it is corrected`)
    }
    this.#invalidSizes.set(key, size)
    return true
  }

  async #create(cluster: MiniCluster, maximumSize: number): Promise<void> {
    const { name, namespace } = identity(cluster)
    const { decorate = (template: V1PodTemplateSpec) => template } = this.#options
    await existingAsDone(
      this.#core.createNamespacedConfigMap({ namespace, body: entrypoint(cluster) }),
    )
    await existingAsDone(
      this.#core.createNamespacedService({ namespace, body: headlessService(cluster) }),
    )
    const body = indexedJob(cluster)
    if (body.spec !== undefined) body.spec.template = decorate(body.spec.template, cluster)
    await existingAsDone(this.#batch.createNamespacedJob({ namespace, body }))
    // status.size stays 0 until the first resize
    await this.#patchStatus(cluster, {
      jobid: '',
      maximumSize,
      selector: `hpa-selector=${name}`,
      size: 0,
      conditions: conditions(),
    })
    this.#log(`operator: ${namespace}/${name}: created with size ${cluster.spec.size}`)
  }

  async #resize(cluster: MiniCluster, job: V1Job): Promise<void> {
    const { name, namespace } = identity(cluster)
    const { size } = cluster.spec
    if (job.spec?.completions === size && job.spec.parallelism === size) return
    if (job.status?.completionTime !== undefined) return
    await this.#batch.patchNamespacedJob(
      { namespace, name, body: { spec: { completions: size, parallelism: size } } },
      MERGE_PATCH,
    )
    await this.#patchStatus(cluster, { size })
    this.#log(`operator: ${namespace}/${name}: ${job.spec?.completions} → ${size}`)
  }

  async #patchStatus(cluster: MiniCluster, status: object): Promise<void> {
    await this.#custom.patchNamespacedCustomObjectStatus(
      { ...MINICLUSTERS, ...identity(cluster), body: { status } },
      MERGE_PATCH,
    )
  }

  /** The operator writes this label to every pod of the namespace that lacks it, also to pods of others. */
  #labelLater(pod: V1Pod): void {
    const { name, namespace } = identity(pod)
    if (pod.metadata?.labels?.[JOB_INDEX] !== undefined) return
    const index = pod.metadata?.labels?.[COMPLETION_INDEX] ?? '0'
    this.#later(JOB_INDEX_DELAY_MS, async () => {
      await absentAsUndefined(
        this.#core.patchNamespacedPod(
          { namespace, name, body: { metadata: { labels: { [JOB_INDEX]: index } } } },
          MERGE_PATCH,
        ),
      )
    })
  }

  #log(line: string): void {
    this.#options.log?.(line)
  }
}
