// What an installation leaves in the cluster: its APIServices, and whatever else has its name.
import assert from 'node:assert/strict'
import { GATEWAY } from '../../../webhook/contract.ts'
import { awaitApiServices } from './api-services.ts'
import { type Cluster, createNamespace, remove } from './cluster.ts'
import { run, WEBHOOK_NAMESPACE } from './installation.ts'
import { API_SERVICES } from './manifests.ts'
import { holds } from './wait.ts'

const OURS = `${WEBHOOK_NAMESPACE}/${GATEWAY}`

/** The Service that an APIService leads to; empty if there is none. */
export async function leadsTo(name: string): Promise<string> {
  const path = '-o=jsonpath={.spec.service.namespace}/{.spec.service.name}'
  return run(['get', 'apiservice', name, '--ignore-not-found', path])
}

/** Waits until the gateway has published all APIServices, and API servers find it. */
export async function awaitPublished(): Promise<void> {
  await holds('the APIServices', async () => {
    const found = await Promise.all(API_SERVICES.map(leadsTo))
    return found.every((service) => service === OURS)
  })
  await awaitApiServices()
}

/** A namespace that is created and deleted: it ends only if all APIs answer. */
export async function namespaceComesAndGoes(cluster: Cluster): Promise<void> {
  const start = performance.now()
  const name = await createNamespace(cluster)
  await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  assert.ok(performance.now() - start < 10_000, `${performance.now() - start} ms`)
}

/** What the manifests and the gateway make, and what is made of it. */
export async function left(): Promise<readonly string[]> {
  const kinds = 'apiservices,clusterroles,clusterrolebindings,mutatingwebhookconfigurations'
  const found = await run(['get', kinds, '-o=name'])
  const ours = found.split('\n').filter((name) => /flux-metrics|metrics\.k8s\.io$/.test(name))
  const inside = 'deployments,pods,services,serviceaccounts,configmaps,roles,rolebindings'
  const rest = await run(['get', inside, `--namespace=${WEBHOOK_NAMESPACE}`, '-o=name'])
  // Kubernetes makes these in every namespace.
  const made = ['configmap/kube-root-ca.crt', 'serviceaccount/default', '']
  return [...ours, ...rest.split('\n').filter((name) => !made.includes(name))]
}
