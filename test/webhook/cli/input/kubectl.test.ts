import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getRaw } from '../../../../webhook/cli/input/kubectl.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'

test('getRaw answers the text that kubectl prints', async (t) => {
  const env = await fakeKubectl(t, { args: 'get --raw /apis', out: "it's\nthere" })
  assert.deepEqual(await getRaw('/apis', {}, env), { kind: 'text', text: "it's\nthere" })
})

test('getRaw passes kubeconfig and context to kubectl', async (t) => {
  const args = '--kubeconfig=/a b --context=c get --raw /apis'
  const env = await fakeKubectl(t, { args, out: 'there' })
  const answer = await getRaw('/apis', { kubeconfig: '/a b', context: 'c' }, env)
  assert.deepEqual(answer, { kind: 'text', text: 'there' })
})

test('getRaw answers the error of kubectl in its words', async (t) => {
  const err = 'Error from server (Forbidden): no\n'
  const env = await fakeKubectl(t, { args: 'get --raw /apis', out: 'half', err, code: 1 })
  const reason = 'Error from server (Forbidden): no'
  assert.deepEqual(await getRaw('/apis', {}, env), { kind: 'failure', reason })
})

test('getRaw answers the exit code of a kubectl that printed nothing', async (t) => {
  const env = await fakeKubectl(t, { args: 'get --raw /apis', code: 3 })
  const reason = 'kubectl ended with exit code 3'
  assert.deepEqual(await getRaw('/apis', {}, env), { kind: 'failure', reason })
})

test('getRaw reports a missing kubectl', async () => {
  const answer = await getRaw('/apis', {}, { PATH: '/nowhere' })
  assert.deepEqual(answer, { kind: 'failure', reason: 'there is no kubectl in PATH' })
})
