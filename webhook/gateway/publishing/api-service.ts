// The APIServices that lead API servers to the gateway: which there are, what is read of one, and how one of ours looks. Pure.
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import { EXTERNAL_GROUP, EXTERNAL_VERSION, GROUP, VERSIONS } from '#api/api-group.ts'
import { CA_BUNDLE_LABEL, GATEWAY, METRICS_SERVICE, TAKE_OVER_ANNOTATION } from '../../contract.ts'
import type { ClusterObject, NewObject, ObjectReference } from '../../kubernetes/cluster.ts'

export const API_SERVICE = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' } as const

/** A Service, and the port that is asked. */
export interface ServicePlace {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** One version of a group. */
export interface ApiVersion {
  readonly group: string
  readonly version: string
  /** HPAs use the version of the group with the highest one. */
  readonly priority: number
}

/** Preferred versions first, with the priorities of overlays/direct. */
export const CUSTOM: readonly ApiVersion[] = VERSIONS.map((version, index) => ({
  group: GROUP,
  version,
  priority: 100 * (VERSIONS.length - index),
}))

export const EXTERNAL: readonly ApiVersion[] = [
  { group: EXTERNAL_GROUP, version: EXTERNAL_VERSION, priority: 100 },
]

/** Kubernetes requires this name. */
export function referenceOf({ group, version }: ApiVersion): ObjectReference {
  return { ...API_SERVICE, name: `${version}.${group}` }
}

/** An APIService that is there, as far as it matters here. */
export interface PresentApiService {
  readonly object: ClusterObject
  /** `undefined` if the API server itself serves it. */
  readonly service: ServicePlace | undefined
  /** Whether it has our label. It keeps that when another adapter is applied over it. */
  readonly isLabelled: boolean
  /** Whether it is annotated to be left alone. */
  readonly isKept: boolean
}

const SpecSchema = v.object({
  service: v.nullish(
    v.object({ namespace: v.string(), name: v.string(), port: v.nullish(v.number(), 443) }),
  ),
})

export function parseApiService(object: ClusterObject): PresentApiService {
  const parsed = v.safeParse(SpecSchema, object.spec)
  const { labels, annotations } = object.metadata ?? {}
  return {
    object,
    service: parsed.success ? (parsed.output.service ?? undefined) : undefined,
    isLabelled: labels?.[CA_BUNDLE_LABEL] === 'true',
    isKept: annotations?.[TAKE_OVER_ANNOTATION] === 'never',
  }
}

/** Services of this project: with the label, what leads there is ours. */
const SERVICES: readonly string[] = [GATEWAY, METRICS_SERVICE]

/** Whether it is of this project, or of an installation of it that is gone. */
export function isOfProject(
  { isLabelled, service }: PresentApiService,
  gateway: ServicePlace,
): boolean {
  const name = service?.name ?? ''
  return isLabelled && (SERVICES.includes(name) || name === gateway.name)
}

/** What one of ours leads to, by whom it is verified, and with whom it is deleted. */
export interface Destination {
  readonly gateway: ServicePlace
  /** PEM, in base64. */
  readonly caBundle: string
  readonly owner: { readonly name: string; readonly uid: string }
}

const LABELS = {
  'app.kubernetes.io/name': GATEWAY,
  'app.kubernetes.io/component': 'metrics-api',
  'app.kubernetes.io/part-of': 'flux-metrics',
  // The webhook keeps the bundle right afterwards.
  [CA_BUNDLE_LABEL]: 'true',
}

const OWNER = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' } as const

/**
 * The APIService as it must be, for a creation, or to replace the one that is there: labels and annotations of others stay, and
 * so does the bundle of one that leads to the gateway, which is the webhook's to change. That of another Service is another's.
 */
export function apiServiceFor(
  { group, version, priority }: ApiVersion,
  { gateway, caBundle, owner }: Destination,
  present?: PresentApiService,
): NewObject {
  const { metadata, spec: _replaced, ...rest } = present?.object ?? {}
  const isBundleKept = present?.isLabelled === true && isDeepStrictEqual(present.service, gateway)
  return {
    ...rest,
    ...API_SERVICE,
    metadata: {
      ...metadata,
      name: `${version}.${group}`,
      labels: { ...metadata?.labels, ...LABELS },
      // Of no other owner: it must be deleted with ours.
      ownerReferences: [{ ...OWNER, name: owner.name, uid: owner.uid }],
    },
    spec: {
      group,
      version,
      groupPriorityMinimum: 100,
      versionPriority: priority,
      service: gateway,
      caBundle: (isBundleKept ? bundleOf(present.object) : undefined) ?? caBundle,
    },
  }
}

const BundleSchema = v.object({ spec: v.object({ caBundle: v.pipe(v.string(), v.minLength(1)) }) })

function bundleOf(object: ClusterObject): string | undefined {
  const parsed = v.safeParse(BundleSchema, object)
  return parsed.success ? parsed.output.spec.caBundle : undefined
}

/** The APIService, which is another's now, without what we have written beside its spec. */
export function released(present: PresentApiService): NewObject {
  const { metadata, ...rest } = present.object
  const labels = Object.entries(metadata?.labels ?? {})
  const others = labels.filter(([key, value]) =>
    Object.entries(LABELS).every(([own, ours]) => own !== key || ours !== value),
  )
  return {
    ...rest,
    ...API_SERVICE,
    metadata: {
      ...metadata,
      name: metadata?.name ?? '',
      labels: Object.fromEntries(others),
      ownerReferences: (metadata?.ownerReferences ?? []).filter(
        (owner) => owner.kind !== OWNER.kind || owner.name !== GATEWAY,
      ),
    },
  }
}
