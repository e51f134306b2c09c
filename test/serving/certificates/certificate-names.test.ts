import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CERTIFICATE_DOMAINS,
  serviceNames,
  sidecarNames,
} from '#serving/certificates/certificate-names.ts'

const SERVICE = serviceNames('flux-metrics-webhook', 'flux-metrics')
const SIDECAR = sidecarNames({
  namespace: 'hpc',
  minicluster: 'lammps',
  serviceName: 'custom-metrics-apiserver',
})

test('a Service has the name that API servers use, and the full one', () => {
  assert.deepEqual(SERVICE, [
    'flux-metrics-webhook.flux-metrics.svc',
    'flux-metrics-webhook.flux-metrics.svc.cluster.local',
  ])
})

test('a sidecar has the name of its Service, and one of its MiniCluster', () => {
  assert.deepEqual(SIDECAR, [
    'custom-metrics-apiserver.hpc.svc',
    'lammps.hpc.miniclusters.flux-metrics',
  ])
})

test('all names are in the domains to which the CA is limited', () => {
  for (const name of [...SERVICE, ...SIDECAR]) {
    assert.ok(
      CERTIFICATE_DOMAINS.some((domain) => name.endsWith(`.${domain}`)),
      name,
    )
  }
})
