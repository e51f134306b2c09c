import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { podOfJob } from '../../../../webhook/cli/controllers/job-pod.ts'
import { JobSource } from '../../../../webhook/cli/input/files/job-source.ts'
import { recorded } from '../sources.ts'

const PodSchema = v.looseObject({
  metadata: v.looseObject({ generateName: v.string(), labels: v.record(v.string(), v.string()) }),
  spec: v.looseObject({
    initContainers: v.optional(v.array(v.looseObject({ env: v.optional(v.unknown()) }))),
    containers: v.array(v.looseObject({ env: v.optional(v.unknown()) })),
  }),
})

function podOf(spec: object, metadata: object = {}) {
  const job = v.parse(JobSource, {
    apiVersion: 'batch/v1',
    metadata: { name: 'work', namespace: 'default', uid: 'uid-1', ...metadata },
    spec: {
      completionMode: 'Indexed',
      template: { spec: { containers: [{ name: 'c' }] } },
      ...spec,
    },
  })
  return v.parse(PodSchema, podOfJob(job))
}

/** The API server adds these fields to a pod when it stores it. */
const METADATA_ADDED = ['creationTimestamp', 'generation', 'name', 'resourceVersion', 'uid']
const SPEC_ADDED = [
  'enableServiceLinks',
  'nodeName',
  'preemptionPolicy',
  'priority',
  'serviceAccount',
  'serviceAccountName',
  'tolerations',
]

/** Without the fields that the Job controller did not write. */
function asMade(pod: unknown): unknown {
  const text = JSON.stringify(pod, (key, value: unknown) => {
    if (key === 'fieldRef') return { ...Object(value), apiVersion: undefined }
    // The operator adds its label later.
    if (key === 'labels') return { ...Object(value), 'job-index': undefined }
    if (key === 'metadata') return without(value, METADATA_ADDED)
    if (key === 'spec') return without(value, SPEC_ADDED)
    return value
  })
  return without(JSON.parse(text), ['status'])
}

function without(value: unknown, keys: readonly string[]): object {
  return { ...Object(value), ...Object.fromEntries(keys.map((key) => [key, undefined])) }
}

test('podOfJob makes the pod that a Job controller made for a recorded Job', () => {
  const job = v.parse(JobSource, recorded('operator/job.json'))
  const { items } = v.parse(
    v.looseObject({ items: v.array(v.unknown()) }),
    recorded('operator/pods-running.json'),
  )
  assert.deepEqual(asMade(podOfJob(job)), asMade(items[0]))
})

test('podOfJob writes the labels that the API server would write, unless the selector is manual', () => {
  const { labels } = podOf({}).metadata
  assert.deepEqual(labels, {
    'batch.kubernetes.io/controller-uid': 'uid-1',
    'batch.kubernetes.io/job-completion-index': '0',
    'batch.kubernetes.io/job-name': 'work',
    'controller-uid': 'uid-1',
    'job-name': 'work',
  })
  assert.deepEqual(podOf({ manualSelector: true }).metadata.labels, {
    'batch.kubernetes.io/job-completion-index': '0',
  })
})

test('podOfJob takes labels, annotations and finalizers from the template, but not its name', () => {
  const template = {
    metadata: {
      name: 'ignored',
      labels: { a: '1' },
      annotations: { b: '2' },
      finalizers: ['c/d'],
    },
    spec: { containers: [{ name: 'c' }] },
  }
  const { metadata } = podOf({ template, manualSelector: true })
  assert.deepEqual(metadata, {
    generateName: 'work-0-',
    namespace: 'default',
    labels: { a: '1', 'batch.kubernetes.io/job-completion-index': '0' },
    annotations: { b: '2', 'batch.kubernetes.io/job-completion-index': '0' },
    finalizers: ['c/d', 'batch.kubernetes.io/job-tracking'],
    ownerReferences: [
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        name: 'work',
        uid: 'uid-1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  })
})

test('podOfJob adds the index variable to every container that does not have it', () => {
  const env = [{ name: 'JOB_COMPLETION_INDEX', value: 'mine' }]
  const containers = [
    { name: 'a', env },
    { name: 'b', env: [{ name: 'X', value: '1' }] },
  ]
  const { spec } = podOf({ template: { spec: { initContainers: [{ name: 'i' }], containers } } })
  const index = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: {
      fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" },
    },
  }
  assert.deepEqual(spec.initContainers, [{ name: 'i', env: [index] }])
  assert.deepEqual(spec.containers, [
    { name: 'a', env },
    { name: 'b', env: [{ name: 'X', value: '1' }, index] },
  ])
})

test('podOfJob makes a pod without index for a Job that is not Indexed', () => {
  const { metadata, spec } = podOf({ completionMode: 'NonIndexed', manualSelector: true })
  assert.equal(metadata.generateName, 'work-')
  assert.deepEqual(metadata.labels, {})
  assert.equal('annotations' in metadata, false)
  assert.deepEqual(spec, { containers: [{ name: 'c' }] })
})

test('podOfJob shortens a name that leaves no room for the generated characters', () => {
  const { generateName } = podOf({}, { name: 'n'.repeat(63) }).metadata
  assert.equal(generateName, `${'n'.repeat(55)}-0-`)
})
