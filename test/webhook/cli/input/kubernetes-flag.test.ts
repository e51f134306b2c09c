import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DEFAULT_KUBERNETES,
  readKubernetesFlag,
} from '../../../../webhook/cli/input/kubernetes-flag.ts'

test('readKubernetesFlag reads a version, and says what it expects', () => {
  assert.deepEqual(readKubernetesFlag('v1.28.3'), { major: 1, minor: 28 })
  const problem = '--kubernetes: expected a version such as 1.32, got "new"'
  assert.equal(readKubernetesFlag('new'), problem)
  assert.equal(typeof readKubernetesFlag(DEFAULT_KUBERNETES), 'object')
})
