// What can be wrong in a cluster, one thing each, and the codes that doctor says then: these and no others.
import type { Code } from '../../../../webhook/cli/doctor/finding.ts'
import {
  EXPIRED,
  encoded,
  FORBIDDEN,
  kedaHpa,
  NOT_FOUND,
  type Objects,
  OTHER,
  say,
  set,
  unavailable,
} from './cluster.ts'

export interface Case {
  readonly codes: readonly Code[]
  readonly what: string
  /** Breaks the cluster. */
  readonly act: (objects: Objects) => void
}

function one(code: Code, what: string, act: Case['act']): Case {
  return { codes: [code], what, act }
}

const HPA = ['items', 0, 'spec'] as const
const METRIC = [...HPA, 'metrics', 0, 'object'] as const
const LEAD = ['items', 0] as const
const WORKER = ['items', 1] as const
const SIDECAR = [...LEAD, 'status', 'initContainerStatuses', 1] as const

function api(objects: Objects, keys: readonly (string | number)[], value: unknown): void {
  set(objects, 'v1beta1', keys, value)
  set(objects, 'v1beta2', keys, value)
}

function condition(objects: Objects, type: string, status: string, reason: string, message = '') {
  const value = [{ type, status, reason, message }]
  set(objects, 'hpas', ['items', 0, 'status', 'conditions'], value)
}

function externalHpa(objects: Objects): void {
  const target = { type: 'AverageValue', averageValue: '1' }
  const metric = {
    type: 'External',
    external: { metric: { name: 'node_desired_count' }, target },
  }
  set(objects, 'hpas', [...HPA, 'metrics'], [metric])
}

function externalApi(objects: Objects, service: string): void {
  objects.external = {
    metadata: { name: 'v1beta1.external.metrics.k8s.io' },
    spec: { service: { namespace: 'flux-metrics', name: service } },
  }
  objects.externalDocument = { kind: 'APIResourceList' }
}

/** Leads to the Service of overlays/direct. */
function direct(objects: Objects, minicluster: string | undefined): void {
  const service = { namespace: 'default', name: 'custom-metrics-apiserver', port: 443 }
  api(objects, ['spec', 'service'], service)
  const selector = minicluster === undefined ? {} : { 'flux-metrics/minicluster': minicluster }
  objects.direct = { spec: { ports: [{ port: 443 }], selector } }
}

const NO_SIDECAR: Case['act'] = (objects) => {
  set(objects, 'pods', [...LEAD, 'metadata', 'annotations', 'flux-metrics/injected'], undefined)
  set(objects, 'pods', [...LEAD, 'spec', 'initContainers', 1, 'name'], 'other')
  set(objects, 'pods', [...SIDECAR, 'name'], 'other')
}

function says(words: string): Case['act'] {
  return (objects) => {
    objects.explain = unavailable(`MiniCluster default/flux-sample: ${words}`)
  }
}

function withoutLead(objects: Objects): void {
  set(objects, 'pods', ['items'], Object(objects.pods).items.slice(1))
}

function pendingWorker(objects: Objects, spec: object, status: object): void {
  set(objects, 'pods', [...WORKER, 'spec', 'nodeName'], undefined)
  for (const [key, value] of Object.entries(spec)) {
    set(objects, 'pods', [...WORKER, 'spec', key], value)
  }
  set(objects, 'pods', [...WORKER, 'status'], { phase: 'Pending', ...status })
}

export const CASES: readonly Case[] = [
  one('api-server-unreachable', 'nobody answers', (objects) => {
    for (const place of Object.keys(objects))
      Object.assign(objects, { [place]: 'no route to host' })
  }),
  one('not-readable', 'the user may not read the HPAs', (objects) => {
    objects.hpas = FORBIDDEN
  }),
  one('not-answered', 'the API server fails', (objects) => {
    objects.namespace = unavailable('etcd is slow')
  }),

  one('api-service-absent', 'there is no APIService', (objects) => {
    objects.v1beta1 = NOT_FOUND
    objects.v1beta2 = NOT_FOUND
  }),
  one('api-service-foreign', 'another adapter has the API', (objects) => {
    api(objects, ['spec', 'service', 'name'], 'prometheus-adapter')
    api(objects, ['metadata', 'labels'], undefined)
  }),
  one('api-service-split', 'another adapter has the older version', (objects) => {
    set(objects, 'v1beta1', ['spec', 'service', 'name'], 'prometheus-adapter')
    set(objects, 'v1beta1', ['metadata', 'labels'], undefined)
  }),
  one('api-unreached', 'the API leads to another MiniCluster', (objects) => {
    direct(objects, 'other')
    objects.explain = NOT_FOUND
  }),
  one('api-shared', 'the Service selects any MiniCluster', (objects) => {
    direct(objects, undefined)
  }),
  one('api-target-absent', 'the Service is gone', (objects) => {
    objects.gateway = NOT_FOUND
    objects.gatewaySlices = { items: [] }
    objects.document = unavailable('service unavailable')
    objects.explain = unavailable('service unavailable')
  }),
  one('api-target-port', 'the Service has another port', (objects) => {
    set(objects, 'gateway', ['spec', 'ports'], [{ port: 444 }])
    objects.document = unavailable('service unavailable')
    objects.explain = unavailable('service unavailable')
  }),
  one('api-without-pods', 'no pod of the gateway is ready', (objects) => {
    set(objects, 'gatewaySlices', ['items', 0, 'endpoints', 0, 'conditions', 'ready'], false)
    objects.document = unavailable('service unavailable')
    objects.explain = unavailable('service unavailable')
  }),
  one('api-ca-empty', 'a caBundle is empty', (objects) => {
    set(objects, 'v1beta2', ['spec', 'caBundle'], undefined)
    objects.document = unavailable('service unavailable')
    objects.explain = unavailable('service unavailable')
  }),
  one('api-ca-expired', 'a caBundle has expired', (objects) => {
    set(objects, 'v1beta2', ['spec', 'caBundle'], encoded(EXPIRED.cert))
    objects.explain = unavailable('service unavailable')
  }),
  one('api-ca-other', 'a caBundle is of another CA', (objects) => {
    set(objects, 'v1beta2', ['spec', 'caBundle'], encoded(OTHER.cert))
    objects.explain = unavailable('service unavailable')
  }),
  one('api-unverified', 'an APIService is not verified', (objects) => {
    set(objects, 'v1beta2', ['spec', 'caBundle'], undefined)
    set(objects, 'v1beta2', ['spec', 'insecureSkipTLSVerify'], true)
  }),
  one('api-certificate', 'the certificate has another name', (objects) => {
    const message = 'failing or missing response: tls: x509: certificate is valid for a, not b'
    const value = [{ type: 'Available', status: 'False', reason: 'FailedDiscoveryCheck', message }]
    set(objects, 'v1beta2', ['status', 'conditions'], value)
    objects.document = unavailable('service unavailable')
    objects.explain = unavailable('service unavailable')
  }),
  one('api-unavailable', 'the pods do not answer', (objects) => {
    objects.document = unavailable('error trying to reach service: dial tcp: i/o timeout')
    objects.explain = unavailable('error trying to reach service: dial tcp: i/o timeout')
  }),
  one('external-api-absent', 'nobody serves external metrics', externalHpa),
  one('external-api-foreign', 'KEDA serves external metrics', (objects) => {
    externalHpa(objects)
    externalApi(objects, 'keda-metrics-apiserver')
  }),
  one('external-api-unavailable', 'external metrics are not answered', (objects) => {
    externalHpa(objects)
    externalApi(objects, 'flux-metrics-gateway')
    objects.externalDocument = unavailable('service unavailable')
  }),
  one('external-not-enabled', 'the sidecar serves no external metrics', (objects) => {
    externalHpa(objects)
    externalApi(objects, 'flux-metrics-gateway')
  }),

  one('webhook-absent', 'there is no configuration', (objects) => {
    objects.webhook = NOT_FOUND
  }),
  one('webhook-absent', 'the configuration is not about pods', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'rules'], [{ resources: ['miniclusters'] }])
  }),
  one('webhook-target-absent', 'the Service is gone', (objects) => {
    objects.webhookService = NOT_FOUND
    objects.webhookSlices = { items: [] }
  }),
  one('webhook-target-port', 'sidecars find no port for their certificates', (objects) => {
    set(objects, 'webhookService', ['spec', 'ports'], [{ port: 443 }])
  }),
  one('webhook-without-pods', 'no replica runs', (objects) => {
    objects.webhookSlices = { items: [] }
  }),
  one('webhook-without-pods', 'no replica runs, and the pod has no sidecar', (objects) => {
    objects.webhookSlices = { items: [] }
    NO_SIDECAR(objects)
    objects.explain = NOT_FOUND
  }),
  one('webhook-ca-empty', 'the caBundle is empty', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'clientConfig', 'caBundle'], undefined)
  }),
  one('webhook-ca-expired', 'the caBundle has expired', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'clientConfig', 'caBundle'], encoded(EXPIRED.cert))
  }),
  one('webhook-ca-other', 'the caBundle is of another CA', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'clientConfig', 'caBundle'], encoded(OTHER.cert))
  }),
  one('webhook-fails-closed', 'the failurePolicy is Fail', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'failurePolicy'], 'Fail')
  }),
  one('webhook-excludes-namespace', 'the namespace is left out', (objects) => {
    const keys = ['webhooks', 0, 'namespaceSelector', 'matchExpressions', 0, 'values']
    set(objects, 'webhook', keys, ['default'])
  }),
  one('webhook-excludes-pod', 'pods are left out', (objects) => {
    set(objects, 'webhook', ['webhooks', 0, 'objectSelector', 'matchLabels', 'metrics'], 'yes')
  }),

  one('operator-absent', 'there is no operator', (objects) => {
    objects.minicluster = NOT_FOUND
    objects.operatorApi = NOT_FOUND
    objects.explain = NOT_FOUND
  }),
  one('minicluster-absent', 'there is no such MiniCluster', (objects) => {
    objects.minicluster = NOT_FOUND
    objects.explain = NOT_FOUND
  }),
  one('minicluster-going', 'it is being deleted', (objects) => {
    set(objects, 'minicluster', ['metadata', 'deletionTimestamp'], '2026-11-24T00:00:00Z')
    objects.explain = unavailable('is being deleted')
  }),
  one('minicluster-finished', 'its Job has ended', (objects) => {
    set(objects, 'minicluster', ['status', 'conditions', 4, 'status'], 'True')
    set(objects, 'pods', ['items'], [])
    objects.explain = unavailable('its Job has ended')
  }),
  one('minicluster-finished', 'its Job has ended, and its operator does not say so', (objects) => {
    set(objects, 'job', ['status', 'conditions'], [{ type: 'Complete', status: 'True' }])
    set(objects, 'pods', ['items'], [])
    objects.explain = unavailable('its Job has ended')
  }),
  one('not-enabled', 'it does not ask for metrics', (objects) => {
    set(objects, 'minicluster', ['metadata', 'annotations', 'flux-metrics/enabled'], undefined)
    NO_SIDECAR(objects)
    objects.explain = NOT_FOUND
  }),
  one('annotation', 'an annotation is unknown', (objects) => {
    set(objects, 'minicluster', ['metadata', 'annotations', 'flux-metrics/log-levle'], 'debug')
  }),
  one('operator-refuses', 'its size is above its maximum', (objects) => {
    set(objects, 'minicluster', ['spec', 'size'], 5)
    condition(objects, 'ScalingActive', 'False', 'ScalingDisabled')
  }),
  one('operator-behind', 'the operator does not follow', (objects) => {
    set(objects, 'minicluster', ['spec', 'size'], 3)
    set(objects, 'minicluster', ['status', 'size'], 3)
  }),
  one('status-size', 'status.size is old', (objects) => {
    set(objects, 'minicluster', ['status', 'size'], 4)
  }),
  one('no-maximum', 'it has no maximum', (objects) => {
    set(objects, 'minicluster', ['spec', 'maxSize'], undefined)
  }),
  {
    codes: ['scheduler', 'scheduler'],
    what: 'Fluxion has its defaults',
    act: (objects) => {
      set(objects, 'minicluster', ['spec', 'flux'], {})
      say(
        objects,
        'warning',
        { code: 'scheduler-refuses-jobs', text: 'Fluxion with queue-policy "fcfs" refuses a job' },
        { code: 'scheduler-fills-high', text: 'Fluxion with match-policy "first", its default' },
      )
    },
  },
  one('bursting', 'its pods join another MiniCluster', (objects) => {
    set(objects, 'minicluster', ['spec', 'flux', 'bursting'], { leadBroker: { address: 'a' } })
  }),
  one('kueue', 'its Job is in a queue of Kueue', (objects) => {
    set(objects, 'job', ['metadata', 'labels'], { 'kueue.x-k8s.io/queue-name': 'default' })
  }),
  one('job-absent', 'the operator has made no Job', (objects) => {
    objects.job = NOT_FOUND
    objects.explain = unavailable('has no pod of its lead broker yet')
  }),

  one('lead-pod-absent', 'it is not created', (objects) => {
    withoutLead(objects)
    objects.explain = unavailable('has no pod of its lead broker yet')
  }),
  one('lead-pod-absent', 'its broker has ended', (objects) => {
    set(objects, 'pods', [...LEAD, 'status', 'phase'], 'Succeeded')
    objects.explain = unavailable('its pod has ended')
  }),
  one('lead-pod-absent', 'it is on no node', (objects) => {
    set(objects, 'pods', [...LEAD, 'spec', 'nodeName'], undefined)
    set(objects, 'pods', [...LEAD, 'status'], { phase: 'Pending' })
    objects.explain = unavailable('its pod is on no node')
  }),
  one('not-injected', 'it was created before the annotation', (objects) => {
    NO_SIDECAR(objects)
    objects.explain = NOT_FOUND
  }),
  one('not-injected', 'the broker has no socket', (objects) => {
    NO_SIDECAR(objects)
    set(objects, 'minicluster', ['spec', 'flux', 'disableSocket'], true)
    objects.explain = NOT_FOUND
  }),
  one('sidecar-waiting', 'its image cannot be pulled', (objects) => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image' }
    set(objects, 'pods', [...SIDECAR, 'state'], { waiting })
    set(objects, 'pods', [...LEAD, 'status', 'phase'], 'Pending')
    objects.explain = unavailable('its pod has a sidecar that waits')
  }),
  one('sidecar-waiting', 'its Secret is not there', (objects) => {
    set(objects, 'pods', [...SIDECAR, 'state'], { waiting: { reason: 'PodInitializing' } })
    set(objects, 'pods', [...LEAD, 'status', 'phase'], 'Pending')
    const createdAt = new Date(Date.now() - 180_000).toISOString()
    set(objects, 'pods', [...LEAD, 'metadata', 'creationTimestamp'], createdAt)
    objects.explain = unavailable('its pod has a sidecar that waits')
  }),
  one('sidecar-ended', 'it has ended', (objects) => {
    set(objects, 'pods', [...SIDECAR, 'state'], { terminated: { exitCode: 1, reason: 'Error' } })
    objects.explain = unavailable('its pod has a sidecar that ended')
  }),
  one('sidecar-restarts', 'it has too little memory', (objects) => {
    const finishedAt = new Date(Date.now() - 60_000).toISOString()
    const terminated = { exitCode: 137, reason: 'OOMKilled', finishedAt }
    set(objects, 'pods', [...SIDECAR, 'restartCount'], 3)
    set(objects, 'pods', [...SIDECAR, 'lastState'], { terminated })
  }),
  one(
    'sidecar-identity',
    'another pod answers',
    says('its pod a is not its sidecar at 10.0.0.1:8443: its certificate is for another name: b'),
  ),
  one(
    'sidecar-unreachable',
    'a NetworkPolicy stands between',
    says('its pod a does not answer at 10.0.0.1:8443: no packets come back'),
  ),
  one(
    'flux-unread',
    'Flux is not read',
    says('its sidecar says: Cannot read the state of Flux: connection refused'),
  ),
  one('metrics-unanswered', 'something else', says('there is no room for its answer')),
  one('flux-warning', 'a queue is stopped', (objects) => {
    const text = 'the queue is stopped: 1 job in it adds no demand until flux queue start'
    say(objects, 'warning', { code: 'queue-stopped', text })
  }),
  one('flux-unknown', 'a guest sees no constraints', (objects) => {
    const text = 'the constraints of pending jobs: Flux does not show'
    say(objects, 'unknown', { code: 'constraints-unknown', text })
  }),
  {
    codes: ['flux-warning', 'older-release'],
    what: 'a warning has no code',
    act: (objects) => say(objects, 'warning', { text: '1 job is held (priority 0)' }),
  },
  one('pods-unscheduled', 'a pod has no node', (objects) => {
    const message = '0/5 nodes are available: 5 Insufficient cpu.'
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
    pendingWorker(objects, {}, { conditions })
  }),
  one('pods-refused', 'a quota refuses a pod', (objects) => {
    set(objects, 'pods', ['items'], Object(objects.pods).items.slice(0, 1))
    const now = new Date().toISOString()
    objects.events = {
      metadata: { resourceVersion: '1' },
      items: [
        {
          metadata: { creationTimestamp: now },
          reason: 'FailedCreate',
          message: 'Error creating: pods "a" is forbidden: exceeded quota: few, requested: pods=1',
          firstTimestamp: now,
          lastTimestamp: now,
        },
      ],
    }
  }),
  one('pods-missing', 'a pod is not created', (objects) => {
    set(objects, 'pods', ['items'], Object(objects.pods).items.slice(0, 1))
  }),
  one('pods-not-starting', 'a pod has no image', (objects) => {
    const state = { waiting: { reason: 'ErrImagePull', message: 'not found' } }
    pendingWorker(objects, { nodeName: 'a' }, { containerStatuses: [{ name: 'a', state }] })
  }),
  one('pods-unprotected', 'node autoscalers may evict a pod', (objects) => {
    set(
      objects,
      'pods',
      [...WORKER, 'metadata', 'annotations', 'karpenter.sh/do-not-disrupt'],
      undefined,
    )
  }),
  one('pods-share-nodes', 'pods request little', (objects) => {
    set(objects, 'minicluster', ['spec', 'containers', 0, 'resources'], {})
  }),

  one('hpa-none', 'there is no HPA', (objects) => {
    set(objects, 'hpas', ['items'], [])
  }),
  one('hpa-several', 'there are two', (objects) => {
    const [hpa] = Object(objects.hpas).items
    const other = { ...hpa, metadata: { ...hpa.metadata, name: 'other' } }
    set(objects, 'hpas', ['items'], [hpa, other])
    condition(objects, 'ScalingActive', 'False', 'AmbiguousSelector')
  }),
  one(
    'hpa-target',
    'a second one follows the metric, and scales something else of this name',
    (objects) => {
      const [hpa] = Object(objects.hpas).items
      const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'flux-sample' }
      const spec = { ...hpa.spec, scaleTargetRef: target }
      const other = { ...hpa, metadata: { ...hpa.metadata, name: 'other' }, spec }
      set(objects, 'hpas', ['items'], [other, hpa])
    },
  ),
  one('hpa-target', 'it scales the Job', (objects) => {
    set(objects, 'hpas', [...HPA, 'scaleTargetRef', 'kind'], 'Job')
    set(objects, 'hpas', [...HPA, 'scaleTargetRef', 'apiVersion'], 'batch/v1')
    condition(objects, 'AbleToScale', 'False', 'FailedGetScale')
  }),
  one('hpa-target', 'it has no apiVersion', (objects) => {
    set(objects, 'hpas', [...HPA, 'scaleTargetRef', 'apiVersion'], undefined)
  }),
  one('hpa-above-maximum', 'its maximum is too large', (objects) => {
    set(objects, 'hpas', [...HPA, 'maxReplicas'], 5)
  }),
  one('hpa-below-minimum', 'its minimum is too small', (objects) => {
    set(objects, 'minicluster', ['spec', 'minSize'], 2)
  }),
  one('hpa-minimum-zero', 'its minimum is 0', (objects) => {
    set(objects, 'hpas', [...HPA, 'minReplicas'], 0)
  }),
  one('hpa-below-maximum', 'its maximum is small', (objects) => {
    set(objects, 'hpas', [...HPA, 'maxReplicas'], 3)
  }),
  one('hpa-usage', 'it follows the CPU', (objects) => {
    set(objects, 'hpas', [...HPA, 'metrics'], [{ type: 'Resource', resource: {} }])
  }),
  one('hpa-usage', 'it names no metric', (objects) => {
    set(objects, 'hpas', [...HPA, 'metrics'], undefined)
  }),
  one('hpa-described-object', 'it follows another MiniCluster', (objects) => {
    set(objects, 'hpas', [...METRIC, 'describedObject', 'name'], 'other')
  }),
  one('hpa-described-object', 'the object has no apiVersion', (objects) => {
    set(objects, 'hpas', [...METRIC, 'describedObject', 'apiVersion'], undefined)
  }),
  one('hpa-metric', 'there is no such metric', (objects) => {
    set(objects, 'hpas', [...METRIC, 'metric', 'name'], 'node_desired_counts')
    condition(objects, 'ScalingActive', 'False', 'FailedGetObjectMetric')
  }),
  one('hpa-feedback', 'the metric follows the size', (objects) => {
    set(objects, 'hpas', [...METRIC, 'metric', 'name'], 'node_up_count')
  }),
  one('hpa-feedback', 'the metric is the same at every size', (objects) => {
    set(objects, 'hpas', [...METRIC, 'metric', 'name'], 'node_cores_total_count')
  }),
  one('hpa-target-missing', 'it has no value', (objects) => {
    set(objects, 'hpas', [...METRIC, 'target', 'averageValue'], undefined)
  }),
  one('hpa-target-missing', 'its value is of the other type', (objects) => {
    set(objects, 'hpas', [...METRIC, 'target', 'type'], 'Value')
  }),
  one('hpa-value', 'its target is a Value', (objects) => {
    set(objects, 'hpas', [...METRIC, 'target'], { type: 'Value', value: '1' })
  }),
  one('hpa-average-value', 'its target is not 1', (objects) => {
    set(objects, 'hpas', [...METRIC, 'target', 'averageValue'], '2')
  }),
  one('hpa-overflow', 'its metric asks for more nodes than 32 bits hold', (objects) => {
    set(objects, 'hpas', [...METRIC, 'metric', 'name'], 'bytes_to_read')
    const config = ['metadata', 'annotations', 'flux-metrics/metrics-config']
    set(objects, 'minicluster', config, 'metrics')
    const metric = {
      name: 'bytes_to_read',
      help: 'To read',
      unit: 'bytes',
      value: 3e9,
      reason: null,
    }
    set(objects, 'explain', ['metrics'], [metric])
  }),
  one('hpa-tolerance', 'it has no tolerance', (objects) => {
    set(objects, 'minicluster', ['spec', 'maxSize'], 11)
    set(objects, 'hpas', [...HPA, 'maxReplicas'], 11)
    set(objects, 'hpas', [...HPA, 'behavior', 'scaleUp', 'policies', 0, 'value'], 11)
    set(objects, 'hpas', [...HPA, 'behavior', 'scaleUp', 'tolerance'], undefined)
  }),
  one('hpa-growth-off', 'it does not grow', (objects) => {
    set(objects, 'hpas', [...HPA, 'behavior', 'scaleUp', 'selectPolicy'], 'Disabled')
  }),
  one('hpa-growth-slow', 'it grows in steps', (objects) => {
    const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 }]
    set(objects, 'hpas', [...HPA, 'behavior', 'scaleUp', 'policies'], policies)
  }),
  one('hpa-shrinks-at-once', 'it shrinks at once', (objects) => {
    set(objects, 'hpas', [...HPA, 'behavior', 'scaleDown', 'stabilizationWindowSeconds'], 0)
  }),
  one('hpa-of-keda', 'KEDA has made it', (objects) => {
    const [hpa] = Object(objects.hpas).items
    set(objects, 'hpas', ['items'], [kedaHpa(hpa)])
  }),
  one('hpa-fallback', 'it has a fallback', (objects) => {
    set(objects, 'hpas', [...METRIC, 'fallback'], { replicas: 1 })
  }),
  one('hpa-rights', 'the role lacks the group', (objects) => {
    set(objects, 'role', ['rules', 0, 'apiGroups'], ['external.metrics.k8s.io'])
  }),
  one('hpa-rights', 'the role is bound to nobody', (objects) => {
    objects.binding = NOT_FOUND
  }),
  one('hpa-forbidden', 'the controller is refused', (objects) => {
    const who = 'User "system:serviceaccount:kube-system:horizontal-pod-autoscaler" cannot get'
    const words = `flux-sample is forbidden: ${who}`
    set(objects, 'role', ['rules', 0, 'apiGroups'], [])
    condition(objects, 'ScalingActive', 'False', 'FailedGetObjectMetric', words)
  }),
  one('hpa-selector', 'an HPA of something else has its pods, too', (objects) => {
    const [hpa] = Object(objects.hpas).items
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const metrics = [{ type: 'Resource', resource: { name: 'cpu' } }]
    const spec = { ...hpa.spec, scaleTargetRef, metrics }
    const other = { ...hpa, metadata: { ...hpa.metadata, name: 'web' }, spec }
    set(objects, 'hpas', ['items'], [hpa, other])
    condition(objects, 'ScalingActive', 'False', 'AmbiguousSelector', 'more than one HPA')
  }),
  one('hpa-failing', 'it has no metric', (objects) => {
    condition(objects, 'ScalingActive', 'False', 'FailedGetObjectMetric', 'no metrics')
  }),
  one('hpa-unable', 'it cannot scale', (objects) => {
    const unable = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message: 'no' }
    const old = {
      type: 'ScalingActive',
      status: 'False',
      reason: 'Old',
      message: 'is forbidden: User "a"',
    }
    set(objects, 'hpas', ['items', 0, 'status', 'conditions'], [old, unable])
  }),
  one('hpa-at-maximum', 'it wants more than its maximum', (objects) => {
    condition(objects, 'ScalingLimited', 'True', 'TooManyReplicas', 'more than the maximum')
  }),
]
