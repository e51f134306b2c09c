import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  userContainers,
  viewContainer,
} from '../../../../webhook/cli/controllers/operator-containers.ts'
import { minicluster } from '../sources.ts'

function containersOf(...containers: readonly object[]) {
  return userContainers('flux-sample', minicluster({ containers }).spec)
}

test('viewContainer takes its fields from the MiniCluster', () => {
  const container = {
    name: 'view',
    image: 'view:1',
    mountPath: '/opt/flux',
    workingDir: '/work',
    pullAlways: true,
    resources: { limits: { cpu: '1' } },
    securityContext: { runAsUser: 0 },
  }
  assert.deepEqual(viewContainer('flux-sample', minicluster({ flux: { container } }).spec), {
    name: 'view',
    image: 'view:1',
    imagePullPolicy: 'Always',
    command: ['/bin/bash', '/flux_operator/flux-init.sh'],
    workingDir: '/work',
    stdin: true,
    tty: true,
    resources: { limits: { cpu: '1' } },
    securityContext: { runAsUser: 0 },
    volumeMounts: [
      { name: 'flux-operator-home', mountPath: '/home/flux-operator' },
      { name: 'view', mountPath: '/opt/flux' },
      { name: 'flux-sample-entrypoint', mountPath: '/flux_operator/', readOnly: true },
    ],
  })
})

test('userContainers names the container that runs Flux after the MiniCluster, at any index', () => {
  const containers = containersOf(
    { name: 'first', image: 'a' },
    { name: 'second', image: 'b', noWrapEntrypoint: true },
    { name: 'third', image: 'c', runFlux: true },
  )
  assert.deepEqual(
    containers.map(({ name, command }) => [name, command]),
    [
      ['first', ['/bin/bash', '/flux_operator/start-0.sh']],
      ['second', undefined],
      ['flux-sample', ['/bin/bash', '/flux_operator/wait-2.sh']],
    ],
  )
})

test('userContainers copies environment, secrets, ports, policies and life cycle', () => {
  const [container] = containersOf({
    image: 'a',
    imagePullPolicy: 'Never',
    workingDir: '/data',
    environment: { A: '1' },
    secrets: { TOKEN: { name: 'secret', key: 'token' } },
    ports: [8080],
    lifeCycle: { postStartExec: 'start', preStopExec: 'stop' },
  })
  const { volumeMounts: _mounts, ...others } = container ?? {}
  assert.deepEqual(others, {
    name: 'flux-sample',
    image: 'a',
    imagePullPolicy: 'Never',
    command: ['/bin/bash', '/flux_operator/wait-0.sh'],
    workingDir: '/data',
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    env: [
      { name: 'A', value: '1' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'secret', key: 'token' } } },
    ],
    stdin: true,
    tty: true,
    lifecycle: {
      postStart: { exec: { command: ['start'] } },
      preStop: { exec: { command: ['stop'] } },
    },
    resources: {},
    securityContext: {},
  })
})

test('userContainers prefers pullAlways to the pull policy', () => {
  const [container] = containersOf({ image: 'a', pullAlways: true, imagePullPolicy: 'Never' })
  assert.equal(container?.imagePullPolicy, 'Always')
})
