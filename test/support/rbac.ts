// RBAC (rbac.authorization.k8s.io/v1) as plain values: the grants of roles and bindings, and the grant that a call needs.
// Knows no subresources and no non-resource URLs.
import * as v from 'valibot'
import { pathOf } from '../../webhook/kubernetes/api-path.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import type { Call } from './memory-cluster.ts'

/** One verb on one resource. */
export interface Grant {
  readonly verb: string
  /** The core group is empty. */
  readonly group: string
  readonly resource: string
  /** Absent: any name, or none. */
  readonly name?: string
  /** Absent: all namespaces, and objects without namespace. */
  readonly namespace?: string
}

/** The grant that a call needs. `name` is absent for a creation and for a list. */
export type Wanted = Grant

const RulesSchema = v.object({
  rules: v.array(
    // Strict, because an unknown field may grant something.
    v.strictObject({
      apiGroups: v.array(v.string()),
      resources: v.array(v.string()),
      resourceNames: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
      verbs: v.array(v.string()),
    }),
  ),
})

export type Subject = v.InferOutput<typeof BindingSchema>['subjects'][number]

const BindingSchema = v.object({
  roleRef: v.strictObject({
    apiGroup: v.literal('rbac.authorization.k8s.io'),
    kind: v.picklist(['ClusterRole', 'Role']),
    name: v.string(),
  }),
  subjects: v.array(
    v.strictObject({ kind: v.string(), name: v.string(), namespace: v.optional(v.string()) }),
  ),
})

/** A binding with its subjects and grants. */
export interface Binding {
  readonly subjects: readonly Subject[]
  readonly grants: readonly Grant[]
}

/** @throws Error for a binding without role, or a role without binding */
export function bindingsOf(objects: readonly NewObject[]): readonly Binding[] {
  const roles = new Set(objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role'))
  const unbound = new Set(roles)
  const bindings = objects
    .filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding')
    .map((binding) => {
      const { roleRef, subjects } = v.parse(BindingSchema, binding)
      const { namespace } = binding.metadata
      const role = [...roles].find(
        ({ kind, metadata }) =>
          kind === roleRef.kind &&
          metadata.name === roleRef.name &&
          (kind === 'ClusterRole' || metadata.namespace === namespace),
      )
      if (role === undefined) throw new Error(`Cannot find ${roleRef.kind} "${roleRef.name}"`)
      unbound.delete(role)
      const scope = namespace === undefined ? {} : { namespace }
      return { subjects, grants: grantsOf(role).map((grant) => ({ ...grant, ...scope })) }
    })
  const [forgotten] = unbound
  if (forgotten === undefined) return bindings
  throw new Error(`Cannot find a binding of ${forgotten.kind} "${forgotten.metadata.name}"`)
}

function grantsOf(role: NewObject): readonly Grant[] {
  return v
    .parse(RulesSchema, role)
    .rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames === undefined
              ? [{ verb, group, resource }]
              : resourceNames.map((name) => ({ verb, group, resource, name })),
          ),
        ),
      ),
    )
}

/** RBAC cannot grant "create" by a name, and lists have none. */
const NAMELESS = ['create', 'list', 'watch']

/** Read from the URL, as the API server does it: the URLs of creations and lists have no name. */
export function wantedBy({ verb, apiVersion, kind, name, namespace }: Call): Wanted {
  const named = NAMELESS.includes(verb) ? {} : { name }
  const scope = namespace === undefined ? {} : { namespace }
  const path = pathOf({ apiVersion, kind, ...scope, ...named })
  const [, group = '', , resource] =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/[^/]+)?\/([^/]+)/.exec(path ?? '') ?? []
  if (resource === undefined) throw new Error(`Cannot find the path of ${kind} "${name}"`)
  return { verb, group, resource, ...named, ...scope }
}

/** Whether a grant allows the call. */
export function allows(grant: Grant, wanted: Wanted): boolean {
  return (
    grant.verb === wanted.verb &&
    grant.group === wanted.group &&
    grant.resource === wanted.resource &&
    (grant.name === undefined || grant.name === wanted.name) &&
    (grant.namespace === undefined || grant.namespace === wanted.namespace)
  )
}

/** The grants of all bindings. */
export function grantsIn(objects: readonly NewObject[]): readonly Grant[] {
  return bindingsOf(objects).flatMap(({ grants }) => grants)
}

/** Calls that no grant allows, or more than one. */
export function strays(calls: readonly Call[], grants: readonly Grant[]): readonly Call[] {
  const allowing = (call: Call) => grants.filter((grant) => allows(grant, wantedBy(call)))
  return calls.filter((call) => allowing(call).length !== 1)
}

/**
 * Grants that no call uses, or that are wider than their use.
 *
 * @param ofUsers namespaces of users, who choose the names of their objects
 */
export function excesses(
  calls: readonly Call[],
  grants: readonly Grant[],
  ofUsers: readonly string[],
): readonly Grant[] {
  return grants.filter((grant) => {
    const uses = calls.map(wantedBy).filter((wanted) => allows(grant, wanted))
    // Objects that our programs name must be granted by that name.
    const isOfUsers = uses.some(({ namespace = '' }) => ofUsers.includes(namespace))
    const global = uses.some(({ namespace }) => namespace === undefined)
    const nameFits = grant.name !== undefined || NAMELESS.includes(grant.verb) || isOfUsers
    // Kubernetes reserves that name, and a kustomization's "namespace:" would move a RoleBinding out of kube-system.
    const reserved = grant.name === 'extension-apiserver-authentication'
    const scopeFits = grant.namespace !== undefined || isOfUsers || global || reserved
    return uses.length === 0 || !nameFits || !scopeFits
  })
}
