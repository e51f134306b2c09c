import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SidecarData } from '../../../../webhook/cli/dashboard/sidecar-data.ts'

test('a sidecar alone has a state, and says why it has no list and no HPA', async () => {
  const asked: string[] = []
  const data = new SidecarData({
    version: '1.2.3',
    title: 'localhost:8443',
    ask: async ({ include }) => {
      asked.push(include.join())
      return { kind: 'failure', reason: 'nothing listens' }
    },
    signal: new AbortController().signal,
  })
  assert.deepEqual(data.start, {
    version: '1.2.3',
    subject: null,
    title: 'localhost:8443',
    hasList: false,
  })
  assert.deepEqual(await data.state(), { kind: 'unknown', reason: 'nothing listens' })
  assert.deepEqual(asked, ['jobs,ranks,history,metrics'])
  assert.equal((await data.list()).kind, 'unknown')
  const hpa = await data.hpa(null, 'node_desired_count')
  assert.match(hpa.kind === 'unknown' ? hpa.reason : '', /flux-metrics hpa/)
})
