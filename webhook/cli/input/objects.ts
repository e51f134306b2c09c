// The objects of documents that the sidecar has to do with, checked: MiniClusters, Jobs, pods. Other kinds are passed over.
import * as v from 'valibot'
import { KIND } from '../../injection/minicluster.ts'
import { Metadata, type Pod, toPod } from '../../injection/pod.ts'
import type { Document, ReadResult } from './documents.ts'
import { describeIssues, type Issue } from './issues.ts'
import { JobSource } from './job-source.ts'
import { MiniClusterSource } from './minicluster-source.ts'

/** What an object is that no API server has stored. */
export const NO_UID = '00000000-0000-0000-0000-000000000000'

interface Sourced<K extends string, T> {
  readonly kind: K
  readonly value: T
  readonly document: Document
}

export type FoundMiniCluster = Sourced<'MiniCluster', MiniClusterSource>
export type FoundJob = Sourced<'Job', JobSource>
export type FoundPod = Sourced<'Pod', Pod>
export type Found = FoundMiniCluster | FoundJob | FoundPod

/** What the pods of an API server have, as far as people get it wrong; the rest is checked as the webhook does. */
const PodSource = v.looseObject({
  metadata: Metadata,
  spec: v.looseObject({
    containers: v.pipe(v.array(v.looseObject({ name: v.string() })), v.minLength(1)),
  }),
})

/** Reads the objects. Where documents name no namespace, they are of `namespace`. */
export function readObjects(
  documents: readonly Document[],
  { namespace }: { readonly namespace: string },
): ReadResult<Found> {
  const readings = documents.map((document) => readObject(stored(document, namespace)))
  const found = readings.flatMap((reading) => reading.found)
  const problems = readings.flatMap((reading) => reading.problems)
  if (found.length > 0 || problems.length > 0) return { found, problems }
  const kinds = [...new Set(documents.map(({ kind }) => kind))].join(', ')
  const place = documents[0]?.placeOf([]) ?? '?'
  return { found, problems: [`${place}: expected a MiniCluster, Job or Pod, found ${kinds}`] }
}

/** Whether it is one, of whatever version, good or not. */
export function isMiniCluster({ apiVersion, kind }: Document): boolean {
  const [group = ''] = apiVersion.split('/')
  return `${kind}.${group}` === KIND
}

function readObject(document: Document): ReadResult<Found> {
  const { value } = document
  const [group = ''] = document.apiVersion.split('/')
  if (isMiniCluster(document)) {
    const parsed = v.safeParse(MiniClusterSource, value)
    if (!parsed.success) return wrong(document, parsed.issues)
    return one({ kind: 'MiniCluster', value: parsed.output, document })
  }
  if (document.kind === 'Job' && group === 'batch') {
    if (!v.is(JobSource, value)) return wrong(document, issuesOf(JobSource, value))
    return one({ kind: 'Job', value, document })
  }
  if (document.kind === 'Pod' && document.apiVersion === 'v1') {
    const pod = toPod(value)
    if (pod === undefined) return wrong(document, issuesOf(PodSource, value))
    return one({ kind: 'Pod', value: pod, document })
  }
  return { found: [], problems: [] }
}

function one(found: Found): ReadResult<Found> {
  return { found: [found], problems: [] }
}

/** With what an API server would have filled in. */
function stored(document: Document, namespace: string): Document {
  const { metadata } = document.value
  if (typeof metadata !== 'object' || metadata === null) return document
  const value = { ...document.value, metadata: { namespace, uid: NO_UID, ...metadata } }
  return { ...document, value }
}

function issuesOf(schema: v.GenericSchema, value: unknown): readonly Issue[] {
  return v.safeParse(schema, value).issues ?? []
}

function wrong(document: Document, issues: readonly Issue[]): ReadResult<Found> {
  if (issues.length > 0) return { found: [], problems: describeIssues(document, issues) }
  const problem = `${document.placeOf(['spec'])}: expected the spec of a ${document.kind} as core/v1 has it`
  return { found: [], problems: [problem] }
}
