// The objects that hold the CA bundle: the place of the bundle in each, the fields to apply, and the last other writer.
// Reads and writes none: publisher.ts does.
import * as v from 'valibot'
import { CA_BUNDLE_LABEL, FIELD_MANAGER } from '../contract.ts'
import type { ClusterObject, NewObject, ObjectReference } from '../kubernetes/cluster.ts'

const WEBHOOKS = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
} as const

const API_SERVICE = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' } as const

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const

/** The key of the bundle in the ConfigMap, from which the gateway's pods read it when they start. */
const CONFIG_KEY = 'ca.crt'

/**
 * The objects by name: RBAC allows no others.
 *
 * @param namespace the webhook's own
 */
export function publishedFrom(namespace: string): readonly ObjectReference[] {
  return [
    { ...WEBHOOKS, name: 'flux-metrics-webhook' },
    { ...API_SERVICE, name: 'v1beta1.custom.metrics.k8s.io' },
    { ...API_SERVICE, name: 'v1beta2.custom.metrics.k8s.io' },
    { ...API_SERVICE, name: 'v1beta1.external.metrics.k8s.io' },
    { ...CONFIG_MAP, name: 'flux-metrics-ca-bundle', namespace },
  ]
}

/** One of these objects as it was read. */
export interface PublishedObject {
  readonly reference: ObjectReference
  /** Whether each place of the object has this bundle (PEM). */
  readonly holds: (bundle: string) => boolean
  /** The fields to apply for a bundle (PEM). They depend on the kind, and on the object as it was read. */
  readonly applied: (bundle: string) => NewObject
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

const CONFIG = v.object({ data: v.optional(v.record(v.string(), v.string()), {}) })

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
  const { apiVersion, kind, name, namespace } = reference
  const places = PLACES[kind]?.(object)
  if (places === undefined) return undefined
  const metadata = { name, ...(namespace !== undefined && { namespace }) }
  const { held, encode, fields } = places
  return {
    reference,
    holds: (bundle) => held.every((text) => text === encode(bundle)),
    applied: (bundle) => ({ apiVersion, kind, metadata, ...fields(encode(bundle)) }),
    writtenBy: lastWriter(object),
  }
}

/** Where an object has the bundle. */
interface Places {
  /** The text at each place; `undefined` where there is none. */
  readonly held: readonly (string | undefined)[]
  /** The text for a bundle (PEM). */
  readonly encode: (bundle: string) => string
  readonly fields: (text: string) => Readonly<Record<string, unknown>>
}

const PLACES: Readonly<Record<string, (object: ClusterObject) => Places | undefined>> = {
  [WEBHOOKS.kind]: webhookPlaces,
  [API_SERVICE.kind]: apiServicePlaces,
  [CONFIG_MAP.kind]: configPlaces,
}

/** The form of bytes in the API. */
function base64(bundle: string): string {
  return Buffer.from(bundle).toString('base64')
}

/** The API server merges lists of webhooks by name: the other fields of a webhook stay, and need not be sent. */
function webhookPlaces(object: ClusterObject): Places | undefined {
  const parsed = v.safeParse(WEBHOOK_CONFIGURATION, object)
  if (!parsed.success || parsed.output.webhooks.length === 0) return undefined
  const { webhooks } = parsed.output
  return {
    held: webhooks.map(({ clientConfig }) => clientConfig.caBundle),
    encode: base64,
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
    encode: base64,
    // The API server refuses a bundle beside `insecureSkipTLSVerify: true`. If it were left out, the field would stay.
    fields: (bundle) => ({
      spec: { caBundle: bundle, ...(insecure ? { insecureSkipTLSVerify: false } : {}) },
    }),
  }
}

function configPlaces(object: ClusterObject): Places | undefined {
  const parsed = v.safeParse(CONFIG, object)
  if (!parsed.success) return undefined
  return {
    held: [parsed.output.data[CONFIG_KEY]],
    encode: (bundle) => bundle,
    fields: (text) => ({ data: { [CONFIG_KEY]: text } }),
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

const BUNDLES: ReadonlySet<string> = new Set(['f:caBundle', `f:${CONFIG_KEY}`])

function ownsBundle(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null) return false
  return Object.entries(fields).some(([name, below]) => BUNDLES.has(name) || ownsBundle(below))
}

function timeOf(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime()
}
