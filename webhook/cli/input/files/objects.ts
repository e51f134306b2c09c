// The MiniClusters, Jobs, pods and policies of namespaces among the documents, checked. Objects of other kinds are skipped.
import * as v from 'valibot'
import { isJob, isMiniCluster } from '../../../objects/minicluster.ts'
import { Metadata, type Pod, toPod } from '../../../objects/pod.ts'
import { type Document, describeUnexpected, type ReadResult } from './documents.ts'
import { describeIssues, type Issue } from './issues.ts'
import { JobSource } from './job-source.ts'
import { MiniClusterSource } from './minicluster-source.ts'
import { PlaceholderNames } from './placeholder-names.ts'

/** The UID of an object that no API server has stored. */
export const NO_UID = '00000000-0000-0000-0000-000000000000'

interface Sourced<K extends string, T> {
  readonly kind: K
  readonly value: T
  readonly document: Document
}

export type FoundMiniCluster = Sourced<'MiniCluster', MiniClusterSource>
export type FoundJob = Sourced<'Job', JobSource>
export type FoundPod = Sourced<'Pod', Pod>
/** What a namespace allows its pods. */
export type FoundPolicy = Sourced<
  'LimitRange' | 'ResourceQuota',
  v.InferOutput<typeof PolicySource>
>
export type Found = FoundMiniCluster | FoundJob | FoundPod | FoundPolicy

const PolicySource = v.looseObject({ metadata: Metadata })

/** The fields of a pod in which mistakes are likely, for messages with their place. `toPod` checks the rest, as in the webhook. */
const PodSource = v.looseObject({
  metadata: Metadata,
  spec: v.looseObject({
    containers: v.pipe(v.array(v.looseObject({ name: v.string() })), v.minLength(1)),
  }),
})

/** @param options.namespace of the objects that name none */
export function readObjects(
  documents: readonly Document[],
  { namespace }: { readonly namespace: string },
): ReadResult<Found> {
  const names = new PlaceholderNames()
  const results = documents.map((document) => readObject(asStored(document, namespace, names)))
  const found = results.flatMap((result) => result.found)
  const problems = results.flatMap((result) => result.problems)
  if (found.length > 0 || problems.length > 0) return { found, problems }
  return { found, problems: [describeUnexpected(documents, 'a MiniCluster, Job or Pod')] }
}

function readObject(document: Document): ReadResult<Found> {
  const { value } = document
  if (isMiniCluster(document)) {
    const parsed = v.safeParse(MiniClusterSource, value)
    if (!parsed.success) return problemsIn(document, parsed.issues)
    return foundOne({ kind: 'MiniCluster', value: parsed.output, document })
  }
  if (isJob(document)) {
    if (!v.is(JobSource, value)) return problemsIn(document, issuesOf(JobSource, value))
    return foundOne({ kind: 'Job', value, document })
  }
  if (document.kind === 'Pod' && document.apiVersion === 'v1') {
    const pod = toPod(value)
    if (pod === undefined) return problemsIn(document, issuesOf(PodSource, value))
    return foundOne({ kind: 'Pod', value: pod, document })
  }
  const { kind, apiVersion } = document
  if ((kind === 'LimitRange' || kind === 'ResourceQuota') && apiVersion === 'v1') {
    if (!v.is(PolicySource, value)) return problemsIn(document, issuesOf(PolicySource, value))
    return foundOne({ kind, value, document })
  }
  return { found: [], problems: [] }
}

function foundOne(found: Found): ReadResult<Found> {
  return { found: [found], problems: [] }
}

/** Adds the namespace, the UID and the name that an API server would fill in. The names of pods make no difference. */
function asStored(document: Document, namespace: string, names: PlaceholderNames): Document {
  const { metadata } = document.value
  if (typeof metadata !== 'object' || metadata === null) return document
  const name = document.kind === 'Pod' ? undefined : names.next(metadata)
  const named = { namespace, uid: NO_UID, ...metadata, ...(name !== undefined && { name }) }
  return { ...document, value: { ...document.value, metadata: named } }
}

function issuesOf(schema: v.GenericSchema, value: unknown): readonly Issue[] {
  return v.safeParse(schema, value).issues ?? []
}

function problemsIn(document: Document, issues: readonly Issue[]): ReadResult<Found> {
  if (issues.length > 0) return { found: [], problems: describeIssues(document, issues) }
  const problem = `${document.placeOf(['spec'])}: expected the spec of a ${document.kind} as core/v1 defines it`
  return { found: [], problems: [problem] }
}
