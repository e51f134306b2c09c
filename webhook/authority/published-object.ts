// The objects that hold the CA bundle: the place of the bundle in each, the fields to apply, and the last other writer.
// Reads and writes none: publisher.ts does.
import * as v from 'valibot'
import { CA_BUNDLE_LABEL } from '../contract.ts'
import type { ClusterObject, NewObject, ObjectReference } from '../kubernetes/cluster.ts'

/** The webhook's name in `managedFields`. */
const FIELD_MANAGER = 'flux-metrics-webhook'

const WEBHOOKS = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
} as const

const API_SERVICE = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' } as const

/** The objects by name: RBAC allows no others. */
export const PUBLISHED: readonly ObjectReference[] = [
  { ...WEBHOOKS, name: 'flux-metrics-webhook' },
  { ...API_SERVICE, name: 'v1beta1.custom.metrics.k8s.io' },
  { ...API_SERVICE, name: 'v1beta2.custom.metrics.k8s.io' },
  { ...API_SERVICE, name: 'v1beta1.external.metrics.k8s.io' },
]

/** One of these objects as it was read. */
export interface PublishedObject {
  readonly reference: ObjectReference
  /** The bundle at each place of the object, in base64; `undefined` where there is none. */
  readonly held: readonly (string | undefined)[]
  /** The fields to apply for a bundle in base64. They depend on the kind, and on the object as it was read. */
  readonly applied: (caBundle: string) => NewObject
  /** The other manager that last wrote a bundle; `undefined` if there is none or it is not known. */
  readonly writtenBy: string | undefined
}

const BUNDLE = v.optional(v.string())

const WEBHOOK_CONFIGURATION = v.object({
  webhooks: v.optional(
    v.array(v.object({ name: v.string(), clientConfig: v.object({ caBundle: BUNDLE }) })),
    [],
  ),
})

/** A local APIService has no `service`, and must not have a bundle. */
const REMOTE_API_SERVICE = v.object({
  spec: v.object({
    service: v.object({ name: v.string() }),
    caBundle: BUNDLE,
    insecureSkipTLSVerify: v.optional(v.boolean(), false),
  }),
})

const MANAGED = v.object({
  managedFields: v.array(
    v.object({
      manager: v.optional(v.string()),
      // A parsed object has dates, one from JSON has texts.
      time: v.optional(v.union([v.date(), v.string()])),
      fieldsV1: v.optional(v.unknown()),
    }),
  ),
})

/** @returns `undefined` if the object does not have the label, or has no place for a bundle */
export function parsePublished(
  reference: ObjectReference,
  object: ClusterObject,
): PublishedObject | undefined {
  if (object.metadata?.labels?.[CA_BUNDLE_LABEL] !== 'true') return undefined
  const places = reference.kind === WEBHOOKS.kind ? webhookPlaces(object) : apiServicePlaces(object)
  if (places === undefined) return undefined
  const { apiVersion, kind, name } = reference
  return {
    reference,
    held: places.held,
    applied: (caBundle) => ({ apiVersion, kind, metadata: { name }, ...places.fields(caBundle) }),
    writtenBy: lastWriter(object),
  }
}

interface Places {
  readonly held: readonly (string | undefined)[]
  readonly fields: (caBundle: string) => Readonly<Record<string, unknown>>
}

/** The API server merges lists of webhooks by name: the other fields of a webhook stay, and need not be sent. */
function webhookPlaces(object: ClusterObject): Places | undefined {
  const parsed = v.safeParse(WEBHOOK_CONFIGURATION, object)
  if (!parsed.success || parsed.output.webhooks.length === 0) return undefined
  const { webhooks } = parsed.output
  return {
    held: webhooks.map(({ clientConfig }) => clientConfig.caBundle),
    fields: (caBundle) => ({
      webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
    }),
  }
}

function apiServicePlaces(object: ClusterObject): Places | undefined {
  const parsed = v.safeParse(REMOTE_API_SERVICE, object)
  if (!parsed.success) return undefined
  const { caBundle, insecureSkipTLSVerify: insecure } = parsed.output.spec
  return {
    held: [caBundle],
    // The API server refuses a bundle beside `insecureSkipTLSVerify: true`. If it were left out, the field would stay.
    fields: (bundle) => ({
      spec: { caBundle: bundle, ...(insecure ? { insecureSkipTLSVerify: false } : {}) },
    }),
  }
}

/** `managedFields` has a tree of field names for each writer that still owns fields. */
function lastWriter({ metadata }: ClusterObject): string | undefined {
  const parsed = v.safeParse(MANAGED, metadata)
  if (!parsed.success) return undefined
  return parsed.output.managedFields
    .filter(({ manager, fieldsV1 }) => manager !== FIELD_MANAGER && ownsBundle(fieldsV1))
    .toSorted((a, b) => timeOf(b.time) - timeOf(a.time))[0]?.manager
}

function ownsBundle(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null) return false
  return Object.entries(fields).some(([name, below]) => name === 'f:caBundle' || ownsBundle(below))
}

function timeOf(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime()
}
