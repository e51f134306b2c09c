// Decides what to do about the APIServices of one group: all or nothing, because an HPA that finds half of a group at another
// server finds half of its metrics. Pure: publishing.ts reads and writes.
import { isDeepStrictEqual } from 'node:util'
import type { NewObject } from '../../kubernetes/cluster.ts'
import {
  type ApiVersion,
  apiServiceFor,
  type Destination,
  isOfProject,
  type PresentApiService,
  referenceOf,
  released,
  type ServicePlace,
} from './api-service.ts'

/** A change of an APIService. */
export interface Change {
  readonly kind: 'create' | 'repair' | 'take over' | 'remove' | 'release'
  readonly object: NewObject
  /** The Service that it leads to until now, if that is another; `undefined` also for one that the API server serves itself. */
  readonly from?: ServicePlace | undefined
}

/** What to do about one APIService. */
export type Step =
  /** It leads to the gateway as it should. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'change'; readonly change: Change }
  /** The group is another's. `why` is a sentence for people, about the APIService `because`. */
  | { readonly kind: 'leave'; readonly why: string; readonly because: string }
  /** It is not wanted, and not there or not ours. */
  | { readonly kind: 'none' }

export interface Decision {
  readonly version: ApiVersion
  /** Of the APIService that is there. */
  readonly uid: string | undefined
  readonly step: Step
  /** Whether it leads to the gateway now. */
  readonly isOurs: boolean
}

export interface Group {
  readonly name: string
  /** Whether the gateway serves it. */
  readonly isServed: boolean
  /** The adapter that the gateway asks about what is not ours: it may be taken over from it. */
  readonly upstream: ServicePlace | undefined
  /** The variable that names that adapter. */
  readonly variable: string
}

/** A version of the group, and its APIService; `undefined` if there is none. */
export type Found = readonly (readonly [ApiVersion, PresentApiService | undefined])[]

export function decide(found: Found, group: Group, destination: Destination): readonly Decision[] {
  const { gateway } = destination
  const foreign = group.isServed ? firstForeign(found, group, gateway) : undefined
  return found.map(([version, present]) => {
    const isOurs = present?.isLabelled === true && isDeepStrictEqual(present.service, gateway)
    const step =
      releaseOf(present, group, gateway) ??
      (group.isServed
        ? (foreign ?? stepFor(version, present, destination))
        : unserved(present, isOurs))
    return { version, uid: present?.object.metadata?.uid, step, isOurs }
  })
}

/**
 * Another adapter has been applied over one of ours. Our label is left on it, with which the webhook would change its bundle, and
 * our owner, with which an uninstallation would delete it.
 */
function releaseOf(
  present: PresentApiService | undefined,
  group: Group,
  gateway: ServicePlace,
): Step | undefined {
  if (!present?.isLabelled || present.isKept || isOfProject(present, gateway)) return undefined
  if (group.isServed && isUpstreams(present, group)) return undefined
  return { kind: 'change', change: { kind: 'release', object: released(present) } }
}

function isUpstreams({ service }: PresentApiService, { upstream }: Group): boolean {
  return upstream !== undefined && isDeepStrictEqual(service, upstream)
}

/** Another server may have it since. One that is annotated is the administrator's. */
function unserved(present: PresentApiService | undefined, isOurs: boolean): Step {
  if (present === undefined || !isOurs || present.isKept) return { kind: 'none' }
  return { kind: 'change', change: { kind: 'remove', object: asStored(present) } }
}

function firstForeign(found: Found, group: Group, gateway: ServicePlace): Step | undefined {
  for (const [version, present] of found) {
    if (present === undefined) continue
    const { name: because } = referenceOf(version)
    const { service, isKept } = present
    if (isKept) {
      const why = `It has the annotation flux-metrics/take-over=never; it leads to ${textOf(service)}`
      return { kind: 'leave', why, because }
    }
    if (isOfProject(present, gateway) || isUpstreams(present, group)) continue
    if (isDeepStrictEqual(service, gateway)) continue
    const why =
      `It belongs to another adapter: it leads to ${textOf(service)}, and ${group.variable} does not name that. ` +
      'To have both, run: flux-metrics adopt'
    return { kind: 'leave', why, because }
  }
  return undefined
}

function stepFor(
  version: ApiVersion,
  present: PresentApiService | undefined,
  destination: Destination,
): Step {
  const object = apiServiceFor(version, destination, present)
  const change = (kind: Change['kind'], from?: ServicePlace): Step => {
    return { kind: 'change', change: { kind, object, from } }
  }
  if (present === undefined) return change('create')
  if (isDeepStrictEqual(essenceOf(present.object), essenceOf(object))) return { kind: 'keep' }
  if (isDeepStrictEqual(present.service, destination.gateway)) return change('repair')
  return change('take over', present.service)
}

/** What the gateway keeps right. */
function essenceOf({
  metadata,
  spec,
}: Pick<NewObject, 'metadata' | 'spec'> | PresentApiService['object']) {
  return { labels: metadata?.labels, owners: metadata?.ownerReferences, spec }
}

function asStored({ object }: PresentApiService): NewObject {
  const { apiVersion = '', kind = '', metadata = {} } = object
  return { ...object, apiVersion, kind, metadata }
}

function textOf(service: ServicePlace | undefined): string {
  return service === undefined
    ? 'the API server itself'
    : `Service ${service.namespace}/${service.name}:${service.port}`
}
