import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restrictedViolations } from './pod-security.ts'

const CONTEXT = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
} as const

function pod({ spec = {}, container = {} }: { spec?: object; container?: object } = {}) {
  return { spec: { containers: [{ name: 'c', securityContext: CONTEXT, ...container }], ...spec } }
}

test('restrictedViolations accepts a pod without special rights', () => {
  assert.deepEqual(restrictedViolations(pod()), [])
})

test('restrictedViolations names the fields that a container without a security context lacks', () => {
  assert.deepEqual(restrictedViolations(pod({ container: { securityContext: null } })), [
    'c: allowPrivilegeEscalation',
    'c: capabilities.drop',
    'c: runAsNonRoot unset',
    'c: seccompProfile unset',
  ])
})

test('restrictedViolations accepts a container that inherits profile and user from its pod', () => {
  const { runAsNonRoot, seccompProfile, ...securityContext } = CONTEXT
  const spec = { securityContext: { runAsNonRoot, seccompProfile } }
  assert.deepEqual(restrictedViolations(pod({ spec, container: { securityContext } })), [])
})

/** The name of the violated rule, and the changes that violate it. */
const REFUSED: readonly (readonly [string, { spec?: object; container?: object }])[] = [
  ['hostNetwork', { spec: { hostNetwork: true } }],
  ['sysctl kernel.msgmax', { spec: { securityContext: { sysctls: [{ name: 'kernel.msgmax' }] } } }],
  ['volume hostPath', { spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } }],
  ['pod: runAsUser', { spec: { securityContext: { runAsUser: 0 } } }],
  ['c: hostPort', { container: { ports: [{ containerPort: 1, hostPort: 1 }] } }],
  ['c: privileged', { container: { securityContext: { ...CONTEXT, privileged: true } } }],
  ['c: runAsUser', { container: { securityContext: { ...CONTEXT, runAsUser: 0 } } }],
  ['c: procMount', { container: { securityContext: { ...CONTEXT, procMount: 'Unmasked' } } }],
  [
    'c: capabilities.add',
    {
      container: {
        securityContext: { ...CONTEXT, capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } },
      },
    },
  ],
  ['c: probeHost', { container: { livenessProbe: { httpGet: { host: '10.0.0.1' } } } }],
]

for (const [violation, changes] of REFUSED) {
  test(`restrictedViolations refuses by "${violation}"`, () => {
    assert.deepEqual(restrictedViolations(pod(changes)), [violation])
  })
}
