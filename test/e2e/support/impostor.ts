// A pod with the labels, the annotations and the owner of a lead broker's pod, and its own keys. It prints each request.
import type { V1Pod } from '@kubernetes/client-node'
import { CONTAINER_NAME, PORT_NAME, SIDECAR_PORT } from '../../../webhook/contract.ts'
import { createAuthority } from '../../support/certificates.ts'
import { type Cluster, remove } from './cluster.ts'
import { run } from './installation.ts'
import { BROKER_IMAGE } from './manifests.ts'

const NAME = 'impostor'

const PROGRAM = `
const { CERT, KEY } = process.env
const server = require('node:https').createServer({ cert: CERT, key: KEY }, (request, response) => {
  console.log('request', request.url)
  response.end('{}')
})
server.on('connection', () => console.log('connection'))
server.listen(${SIDECAR_PORT})
`

export interface Impostor extends AsyncDisposable {
  /** What it has printed. */
  log(): Promise<string>
}

/** Runs until disposed. Its certificate has the right name, from another authority. */
export async function runImpostor(cluster: Cluster, lead: V1Pod): Promise<Impostor> {
  const { namespace = '', labels = {}, annotations, ownerReferences } = lead.metadata ?? {}
  const authority = await createAuthority('flux-metrics')
  const minicluster = labels['flux-metrics/minicluster'] ?? ''
  const name = `${minicluster}.${namespace}.miniclusters.flux-metrics`
  const { cert, key } = await authority.issue({ commonName: name, dns: [name] })
  // The Job finds its pods by the labels that are left out here, and would delete this one.
  const copied = Object.entries(labels).filter(([label]) => !/controller-uid$/.test(label))
  const pod: V1Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: NAME,
      namespace,
      labels: { ...Object.fromEntries(copied), 'job-name': NAME },
      ...(annotations !== undefined && { annotations }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: CONTAINER_NAME,
          image: BROKER_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', PROGRAM],
          env: [
            { name: 'CERT', value: cert },
            { name: 'KEY', value: key },
          ],
          ports: [{ name: PORT_NAME, containerPort: SIDECAR_PORT }],
          readinessProbe: { tcpSocket: { port: SIDECAR_PORT }, periodSeconds: 1 },
        },
      ],
    },
  }
  await cluster.objects.create(pod)
  await run(['wait', '--for=condition=Ready', `pod/${NAME}`, `-n=${namespace}`, '--timeout=90s'])
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: NAME, namespace } }
  return {
    log: () => run(['logs', NAME, `--namespace=${namespace}`]),
    [Symbol.asyncDispose]: () => remove(cluster, object),
  }
}
