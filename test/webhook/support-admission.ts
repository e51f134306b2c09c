// The webhook's admission over an API server in memory, and reviews as kube-apiserver sends them and reads the answers.
import assert from 'node:assert/strict'
import * as v from 'valibot'
import type { LogLevel } from '#serving/env.ts'
import { Admission } from '../../webhook/admission/admission.ts'
import { LookUps } from '../../webhook/admission/look-ups/look-ups.ts'
import { EventRecorder } from '../../webhook/events/event-recorder.ts'
import type { SidecarOptions } from '../../webhook/injection/container.ts'
import type { Operation } from '../../webhook/injection/json-patch.ts'
import type { Topology } from '../../webhook/kubernetes/aggregation/reach.ts'
import type { Cluster, ClusterObject, NewObject } from '../../webhook/kubernetes/cluster.ts'
import type { ServerVersion } from '../../webhook/kubernetes/server-version.ts'
import { createTelemetry } from '../../webhook/telemetry.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'
import { memoryLog } from '../support/memory-log.ts'

/** The options that all sidecars have in common. */
export const SIDECAR: SidecarOptions = {
  image: 'registry.example/flux-metrics-sidecar:1.2.3',
  imagePullPolicy: undefined,
  version: '1.2.3',
  identity: {
    url: 'https://flux-metrics-webhook.flux-metrics.svc',
    ca: '-----BEGIN CERTIFICATE-----\nQXV0aG9yaXR5\n-----END CERTIFICATE-----\n',
  },
  frontProxy: {
    clientCa: '-----BEGIN CERTIFICATE-----\nRnJvbnQgcHJveHk=\n-----END CERTIFICATE-----\n',
    allowedNames: ['front-proxy-client'],
  },
}

/** An API server that keeps the Events in a list of their own. */
export class EventCluster extends MemoryCluster {
  readonly events: NewObject[] = []

  override async create(object: NewObject): Promise<ClusterObject | 'conflict'> {
    if (object.kind === 'Event') this.events.push(object)
    return super.create(object)
  }
}

/** An API server that takes connections and never answers. */
export const SILENT_CLUSTER: Cluster = {
  read: () => new Promise(() => {}),
  list: () => new Promise(() => {}),
  create: () => new Promise(() => {}),
  replace: () => new Promise(() => {}),
  apply: () => new Promise(() => {}),
}

/** The fields that the API server reads from an answer. */
export interface ReviewAnswer {
  readonly uid: string
  readonly patch: readonly Operation[]
  readonly warnings: readonly string[]
}

export interface ReviewerOptions {
  /** The objects of the API server. */
  readonly objects?: readonly NewObject[]
  /** Another API server, in place of the one with the objects. */
  readonly cluster?: Cluster
  readonly version?: ServerVersion
  readonly readVersion?: () => Promise<ServerVersion>
  readonly sidecar?: Partial<SidecarOptions>
  readonly topology?: () => Topology
  readonly level?: LogLevel
}

/** An admission, and everything that tests look at. */
export function createReviewer(options: ReviewerOptions = {}) {
  const { objects = [], version = { major: 1, minor: 36 } } = options
  const events = new EventCluster(objects)
  const cluster = options.cluster ?? events
  const { log, lines } = memoryLog(options.level)
  const telemetry = createTelemetry()
  const admission = new Admission({
    lookUps: new LookUps({
      cluster,
      readVersion: options.readVersion ?? (async () => version),
    }),
    events: new EventRecorder({ cluster, log }),
    telemetry,
    sidecar: () => ({ ...SIDECAR, ...options.sidecar }),
    topology: () => options.topology?.(),
    log,
  })
  return {
    admission,
    cluster: events,
    lines,
    telemetry,
    /** Reviews bytes, or anything else as JSON. */
    review: async (body: unknown): Promise<ReviewAnswer> => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
      return readAnswer(await admission.review(bytes))
    },
  }
}

const AnswerSchema = v.strictObject({
  apiVersion: v.literal('admission.k8s.io/v1'),
  kind: v.literal('AdmissionReview'),
  response: v.strictObject({
    uid: v.string(),
    allowed: v.literal(true),
    patchType: v.optional(v.literal('JSONPatch')),
    patch: v.optional(v.pipe(v.string(), v.base64())),
    warnings: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
  }),
})

const PatchSchema = v.pipe(
  v.array(
    v.variant('op', [
      v.strictObject({ op: v.literal('add'), path: v.string(), value: v.unknown() }),
      v.strictObject({ op: v.literal('remove'), path: v.string() }),
    ]),
  ),
  v.minLength(1),
)

/** Reads an answer more strictly than the API server does. */
function readAnswer(text: string): ReviewAnswer {
  const { uid, patchType, patch, warnings = [] } = v.parse(AnswerSchema, JSON.parse(text)).response
  assert.equal(patchType === undefined, patch === undefined)
  if (patch === undefined) return { uid, patch: [], warnings }
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'))
  return { uid, patch: v.parse(PatchSchema, operations), warnings }
}
