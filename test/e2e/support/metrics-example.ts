// The example of user-defined metrics, manifests/examples/metrics.yaml, with a wait of one second instead of two minutes.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubernetesObject } from '@kubernetes/client-node'
import * as v from 'valibot'
import { parseAllDocuments } from 'yaml'

const FILE = join(import.meta.dirname, '../../../manifests/examples/metrics.yaml')
const PATIENCE = 'job.waited > 120'

const ConfigMap = v.looseObject({
  apiVersion: v.literal('v1'),
  kind: v.literal('ConfigMap'),
  metadata: v.object({ name: v.string() }),
  data: v.object({ 'metrics.yaml': v.pipe(v.string(), v.includes(PATIENCE)) }),
})

const Hpa = v.looseObject({
  apiVersion: v.literal('autoscaling/v2'),
  kind: v.literal('HorizontalPodAutoscaler'),
  metadata: v.object({ name: v.string() }),
  spec: v.looseObject({}),
})

export interface MetricsExample {
  readonly configMap: v.InferOutput<typeof ConfigMap>
  /** The HPA on one of its metrics. */
  hpa(namespace: string): KubernetesObject
}

export async function impatientExample(): Promise<MetricsExample> {
  const [first, second] = parseAllDocuments(await readFile(FILE, 'utf8'))
  const configMap = v.parse(ConfigMap, first?.toJS())
  const { metadata, ...hpa } = v.parse(Hpa, second?.toJS())
  const metrics = configMap.data['metrics.yaml'].replace(PATIENCE, 'job.waited > 1')
  return {
    configMap: { ...configMap, data: { 'metrics.yaml': metrics } },
    hpa: (namespace) => ({ ...hpa, metadata: { ...metadata, namespace } }),
  }
}
