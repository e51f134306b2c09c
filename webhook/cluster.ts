// The API server, as webhook and authority need it: four verbs over plain objects. The one importer of the Kubernetes
// client, and the one place that knows its errors.
import {
  ApiException,
  createConfiguration,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type RequestContext,
  ServerConfiguration,
  VersionApi,
} from '@kubernetes/client-node'

/** Names one object; `namespace` is absent for what has none. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** meta/v1 `OwnerReference`, as far as we read it. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

/** meta/v1 `ObjectMeta`, as far as we read and write it. */
export interface ObjectMetadata {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly deletionTimestamp?: string | Date
}

/** An API object. What is not metadata is unknown until somebody narrows it. */
export interface ClusterObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: ObjectMetadata
  readonly [field: string]: unknown
}

/** An API object to be written. */
export interface NewObject extends ClusterObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
}

/** A call that the API server refused, or that did not reach it. */
export class ClusterError extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterError'
    this.code = code
  }
}

/** The verbs. Each call is bounded in time; all throw {@link ClusterError} for what is not named here. */
export interface Cluster {
  /** @returns `undefined` if there is no such object, or no such kind */
  read(reference: ObjectReference): Promise<ClusterObject | undefined>
  /** @returns the object as stored (a review as answered), or `conflict` if it exists already */
  create(object: NewObject): Promise<ClusterObject | 'conflict'>
  /** Replaces the object of the same `resourceVersion`. @returns `conflict` if it is another one by now, or gone */
  replace(object: NewObject): Promise<ClusterObject | 'conflict'>
  /**
   * Server-side apply of exactly these fields, forced: we own them, whoever wrote them last.
   *
   * @returns `undefined` if there is no such object: nothing is created
   */
  apply(object: NewObject): Promise<ClusterObject | undefined>
}

/** An API server that takes longer is away, for all that we do. */
const CALL_TIMEOUT_MS = 5_000

const FIELD_MANAGER = 'flux-metrics-webhook'

/**
 * Reads how to reach the API server: from a file, or as a pod is given it.
 *
 * @throws Error naming what is missing
 */
export function loadKubeConfig(path: string | undefined): KubeConfig {
  const config = new KubeConfig()
  if (path === undefined) config.loadFromCluster()
  else config.loadFromFile(path)
  return config
}

/** The API server's `major.minor` version, for what depends on it. */
export interface ServerVersion {
  readonly major: number
  readonly minor: number
}

/** Asks for the API server's version. Providers add to the minor one: `31+`. */
export async function readServerVersion(kubeConfig: KubeConfig): Promise<ServerVersion> {
  const { major, minor } = await called(() => kubeConfig.makeApiClient(VersionApi).getCode())
  return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10) }
}

/** Creates the verbs over a connection. */
export function createCluster(kubeConfig: KubeConfig): Cluster {
  const api = objectApi(kubeConfig)
  const read = ({ apiVersion, kind, ...names }: ObjectReference) =>
    called(async () => ({ ...(await api.read({ apiVersion, kind, metadata: names })) }), {
      codes: [404],
      answer: undefined,
    })
  return {
    read,
    create: (object) =>
      called(async () => ({ ...(await api.create(mutable(object))) }), {
        codes: [409],
        answer: 'conflict',
      }),
    replace: (object) =>
      called(async () => ({ ...(await api.replace(mutable(object))) }), {
        codes: [404, 409],
        answer: 'conflict',
      }),
    apply: async (object) => {
      const { apiVersion, kind, metadata } = object
      const { name = '', namespace } = metadata
      // Without this look, applying would create what is not there.
      const stored = await read({
        apiVersion,
        kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      })
      if (stored === undefined) return undefined
      return called(async () => ({ ...(await applyTo(api, object)) }))
    },
  }
}

/** The library bounds no call; every one of ours is. */
function objectApi(kubeConfig: KubeConfig): KubernetesObjectApi {
  const server = kubeConfig.getCurrentCluster()?.server
  if (server === undefined) throw new Error('Cannot find an API server in the configuration')
  const baseServer = new ServerConfiguration(server, {})
  const { httpApi } = createConfiguration({ baseServer })
  return new KubernetesObjectApi(
    createConfiguration({
      baseServer,
      authMethods: { default: kubeConfig },
      httpApi: {
        send(request: RequestContext) {
          request.setSignal(AbortSignal.timeout(CALL_TIMEOUT_MS))
          return httpApi.send(request)
        },
      },
    }),
  )
}

async function applyTo(api: KubernetesObjectApi, object: NewObject): Promise<KubernetesObject> {
  const { ServerSideApply } = PatchStrategy
  return api.patch(mutable(object), undefined, undefined, FIELD_MANAGER, true, ServerSideApply)
}

/** The library's types are mutable, ours are not. */
function mutable(object: NewObject): KubernetesObject {
  return JSON.parse(JSON.stringify(object))
}

/** Calls; a failure with one of the HTTP statuses is the answer beside them, any other our error. */
async function called<T extends object, A = never>(
  call: () => Promise<T>,
  expected?: { readonly codes: readonly number[]; readonly answer: A },
): Promise<T | A> {
  try {
    return await call()
  } catch (cause) {
    if (!(cause instanceof ApiException)) {
      throw new ClusterError(0, `Cannot reach the API server: ${reasonOf(cause)}`, { cause })
    }
    const { code } = cause
    if (expected?.codes.includes(code)) return expected.answer
    throw new ClusterError(code, `The API server answered ${code}: ${statusMessage(cause.body)}`)
  }
}

/** fetch hides the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** The message of a meta/v1 `Status`. */
function statusMessage(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message)
  return 'no Status'
}
