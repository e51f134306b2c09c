// Objects of one kind as the API server lists them, part by part: how to ask, and what is in an answer. Pure.
import * as v from 'valibot'
import type { ClusterObject } from '../../objects/cluster-object.ts'
import { pathOf } from '../api-path.ts'

/** Names objects of one kind: those of a namespace, or of the whole cluster. */
export interface Collection {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  /** As kubectl takes it: `app=flux-operator,!flux-metrics/minicluster`. */
  readonly labelSelector?: string
  /** As kubectl takes it: `status.phase!=Failed`. */
  readonly fieldSelector?: string
  /** Only the metadata of the objects is read: most of a pod is not. */
  readonly metadataOnly?: boolean
}

/** A part of a collection. */
export interface ListPage {
  readonly items: readonly ClusterObject[]
  /** Where the next part begins; `undefined` after the last one. */
  readonly continue: string | undefined
  /** The state of the cluster that the list shows: a watch continues there. */
  readonly resourceVersion?: string | undefined
}

export interface ListOptions {
  /** The most objects of a part. */
  readonly limit: number
  readonly continue?: string | undefined
  /** The longest answer; a longer one is an `AnswerTooLong`. */
  readonly maxBytes?: number
}

export const EMPTY_PAGE: ListPage = { items: [], continue: undefined }

/** The media type of a list of metadata alone (meta/v1). */
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * The path of a list or a watch, with its query.
 *
 * @returns `undefined` if no object can exist there
 */
export function collectionPath(collection: Collection, parameters: Parameters): string | undefined {
  const path = pathOf(collection)
  if (path === undefined) return undefined
  const { fieldSelector, labelSelector } = collection
  const query = new URLSearchParams()
  const { limit, ...others } = parameters
  for (const [name, value] of Object.entries({ limit, fieldSelector, labelSelector, ...others })) {
    if (value !== undefined) query.set(name, String(value))
  }
  return `${path}?${query}`
}

/** In a list the API server leaves out the kind of each object. */
export function pageOf(list: ClusterObject, { apiVersion, kind }: Collection): ListPage {
  const { items, metadata } = v.parse(ListSchema, list)
  const next = metadata?.continue
  const resourceVersion = metadata?.resourceVersion ?? undefined
  return {
    items: (items ?? []).map((item) => ({ ...item, apiVersion, kind })),
    continue: next === '' ? undefined : (next ?? undefined),
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
}

const ListSchema = v.looseObject({
  metadata: v.nullish(
    v.looseObject({ continue: v.nullish(v.string()), resourceVersion: v.nullish(v.string()) }),
  ),
  items: v.nullish(v.array(v.looseObject({}))),
})
