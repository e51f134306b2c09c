import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getNamespace, getRaw } from '../../../../../webhook/cli/input/cluster/kubectl.ts'
import { fakeKubectl } from '../../../../support/fake-kubectl.ts'

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

test('getRaw leaves the log of kubectl out, unless it says nothing else', async (t) => {
  const log = 'E1129 12:52:24.634230   11706 memcache.go:265] "Unhandled Error" err="refused"\n'
  const words = 'The connection to the server localhost:8080 was refused'
  const env = await fakeKubectl(t, { args: 'get --raw /a', err: `${log}${log}${words}\n`, code: 1 })
  assert.deepEqual(await getRaw('/a', {}, env), { kind: 'failure', reason: words })
  const onlyLog = await fakeKubectl(t, { args: 'get --raw /a', err: log, code: 1 })
  assert.deepEqual(await getRaw('/a', {}, onlyLog), { kind: 'failure', reason: log.trim() })
})

test('getRaw answers the exit code of a kubectl that printed nothing', async (t) => {
  const env = await fakeKubectl(t, { args: 'get --raw /apis', code: 3 })
  const reason = 'kubectl ended with exit code 3'
  assert.deepEqual(await getRaw('/apis', {}, env), { kind: 'failure', reason })
})

test('getRaw ends a kubectl that prints without end', async (t) => {
  const env = await fakeKubectl(t, { args: 'get --raw /apis', endless: true })
  const reason = 'kubectl answers more than 64 MiB: is it an API server?'
  assert.deepEqual(await getRaw('/apis', {}, env), { kind: 'failure', reason })
})

test('getRaw reports a missing kubectl', async () => {
  const answer = await getRaw('/apis', {}, { PATH: '/nowhere' })
  assert.deepEqual(answer, { kind: 'failure', reason: 'there is no kubectl in PATH' })
})

test('getNamespace names the file in which there is no context', async (t) => {
  const err = 'error: current-context must exist in order to minify'
  const args = '--kubeconfig=gone config view --minify --output=jsonpath={..namespace}'
  const env = await fakeKubectl(t, { namespace: undefined, args, err, code: 1 })
  const answer = await getNamespace({ kubeconfig: 'gone' }, env)
  const reason = answer.kind === 'failure' ? answer.reason : ''
  assert.match(reason, /^kubectl has no context to use in gone: choose a file with --kubeconfig/)
})
