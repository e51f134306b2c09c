// Authenticates a token: finds the pod that it is bound to, and checks that the pod is the gateway's, or the lead broker of a
// MiniCluster, with the sidecar. Every claim of the pod is checked with the API server. Issues nothing.
import * as v from 'valibot'
import { forbidden, unauthorized, unavailable } from '#serving/status.ts'
import { preselect } from '../admission/decision.ts'
import { findMiniCluster } from '../admission/look-ups/owners.ts'
import { CONTAINER_NAME, GATEWAY, INJECTED_ANNOTATION, TOKEN_AUDIENCE } from '../contract.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { allContainers, hasEnded, type Pod, toPod } from '../objects/pod.ts'
import type { Bearer, Claimed } from './bearer.ts'
import { refusalOf } from './refusal.ts'

const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

const ReviewSchema = v.object({
  status: v.object({
    authenticated: v.optional(v.boolean(), false),
    error: v.optional(v.string()),
    audiences: v.optional(v.array(v.string()), []),
    user: v.optional(
      v.object({
        username: v.optional(v.string(), ''),
        extra: v.optional(v.record(v.string(), v.array(v.string())), {}),
      }),
      {},
    ),
  }),
})

/** `system:serviceaccount:NAMESPACE:NAME` */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([^:]+)$/

const PodSpecSchema = v.object({ serviceAccountName: v.optional(v.string()) })

/** Checks tokens. */
export class BearerCheck {
  readonly #cluster: Cluster
  readonly #namespace: string

  /** @param options.namespace the webhook's own, which is the gateway's too */
  constructor(options: { readonly cluster: Cluster; readonly namespace: string }) {
    this.#cluster = options.cluster
    this.#namespace = options.namespace
  }

  /**
   * Finds the pod that shows a token.
   *
   * @throws Refusal with 401 or 403; ClusterError if the API server cannot be asked
   */
  async authenticate(token: string | undefined): Promise<Bearer> {
    if (token === undefined || token === '') {
      throw refusalOf('NoToken', unauthorized('expected a bearer token in "Authorization"'))
    }
    const { namespace, account, podName, podUid } = await this.#reviewToken(token)
    const claimed = { namespace, pod: podName }
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name: podName }
    const pod = toPod(await this.#cluster.read(reference))
    if (pod === undefined || pod.metadata.uid !== podUid || hasEnded(pod)) {
      throw refusalOf('PodGone', forbidden('the pod of the token no longer exists'), claimed)
    }
    if (namespace === this.#namespace && account === GATEWAY) {
      return { client: 'gateway', ...runningAs(account, pod, claimed) }
    }
    const minicluster = await this.#miniClusterOf(pod, namespace, claimed)
    return { client: 'sidecar', ...claimed, minicluster }
  }

  async #reviewToken(token: string) {
    const answer = await this.#cluster.create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences: [TOKEN_AUDIENCE] },
    })
    const parsed = v.safeParse(ReviewSchema, answer)
    if (!parsed.success) {
      throw refusalOf('ApiServerAway', unavailable('the API server did not review the token'))
    }
    const { authenticated, audiences, user, error } = parsed.output.status
    if (!authenticated || !audiences.includes(TOKEN_AUDIENCE)) {
      const why = error ?? `it is not for the audience "${TOKEN_AUDIENCE}"`
      throw refusalOf(
        'TokenRefused',
        unauthorized(`the API server does not accept the token: ${why}`),
      )
    }
    const [, namespace, account] = SERVICE_ACCOUNT.exec(user.username) ?? []
    const [podName] = user.extra[POD_NAME] ?? []
    const [podUid] = user.extra[POD_UID] ?? []
    if (namespace === undefined || podName === undefined || podUid === undefined) {
      throw refusalOf('NotAPodsToken', forbidden('expected a token that is bound to a pod'))
    }
    return { namespace, account, podName, podUid }
  }

  /**
   * Labels and annotations are easily copied. So the Job and the MiniCluster must exist, each with the UID in the owner
   * reference. A user who can create pods with such owner references in a namespace can act as any of its pods anyway.
   *
   * Whether flux-metrics/enabled is still "true" does not matter: it decides about pods to come, and a pod that has the
   * sidecar keeps it, and its metrics, until it ends.
   */
  async #miniClusterOf(pod: Pod, namespace: string, claimed: Claimed): Promise<string> {
    const injected = pod.metadata.annotations?.[INJECTED_ANNOTATION] !== undefined
    if (!injected || !allContainers(pod).some(({ name }) => name === CONTAINER_NAME)) {
      throw refusalOf('NotInjected', forbidden('the pod has no injected sidecar'), claimed)
    }
    const candidate = preselect(pod)
    if (candidate.kind === 'skip') {
      throw refusalOf('NotALeadBroker', forbidden(candidate.message), claimed)
    }
    const minicluster = await findMiniCluster(this.#cluster, candidate, namespace)
    if (minicluster === undefined) {
      const message = "the pod's Job is not controlled by a MiniCluster"
      throw refusalOf('NotALeadBroker', forbidden(message), claimed)
    }
    return minicluster.metadata.name
  }
}

/**
 * The API server binds a token only to a pod of its ServiceAccount. It is compared again, because this token is worth more than
 * that of a sidecar.
 */
function runningAs<C extends Claimed>(account: string, pod: Pod, claimed: C): C {
  if (v.parse(PodSpecSchema, pod.spec).serviceAccountName === account) return claimed
  const message = `the pod does not run as ServiceAccount ${account}`
  throw refusalOf('NotTheGateway', forbidden(message), claimed)
}
