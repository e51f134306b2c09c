// How often the API server is asked about pods, and what is answered when it does not say all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Shortages } from '../../../../webhook/gateway/shortage/shortages.ts'
import { ClusterError } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { cluster, JOB, NAME, running, unscheduled } from './pods.ts'

const OBJECTS = [cluster(2), running(0), unscheduled(1)]

const SOON = () => performance.now() + 1_000

function shortagesOf(memory: MemoryCluster, jobs: readonly string[] = [JOB]) {
  return new Shortages(memory, { jobsOf: () => jobs })
}

test('askers of the same share a look, and its answer is remembered', async () => {
  const memory = new MemoryCluster(OBJECTS)
  const shortages = shortagesOf(memory)
  const answers = await Promise.all(Array.from({ length: 50 }, () => shortages.of(NAME, SOON())))
  const { length } = memory.calls
  for (const { unavailable } of answers) assert.equal(unavailable, 1)
  assert.equal((await shortages.of(NAME, SOON())).unavailable, 1)
  assert.equal(memory.calls.length, length)
  assert.ok(length <= 6, `${length} calls`)
})

test('without the one Job whose pods have its sidecar nothing is known, and nobody is asked', async () => {
  for (const [jobs, why] of [
    [[], /none of them has a sidecar/],
    [[JOB, 'another'], /several Jobs/],
  ] as const) {
    const memory = new MemoryCluster(OBJECTS)
    await assert.rejects(shortagesOf(memory, jobs).of(NAME, SOON()), { code: 503, message: why })
    assert.deepEqual(memory.calls, [])
  }
})

test('an API server that fails is an error with its words, never a number', async () => {
  for (let call = 1; call <= 5; call += 1) {
    const memory = new MemoryCluster(OBJECTS)
    memory.failAt(call)
    await assert.rejects(shortagesOf(memory).of(NAME, SOON()), {
      code: 503,
      message:
        'The pods of MiniCluster hpc/lammps are not known: Cannot reach the API server: connection refused',
    })
  }
  const memory = new MemoryCluster(OBJECTS)
  memory.failWith(new ClusterError(403, 'The API server answered 403: \n'.padEnd(10_000, 'x')))
  await assert.rejects(
    shortagesOf(memory).of(NAME, SOON()),
    ({ message }: Error) => message.length < 300,
  )
})

test('who cannot wait gets an error, and the next asker the answer', async () => {
  const memory = new MemoryCluster(OBJECTS)
  const released = Promise.withResolvers<void>()
  const shortages = new Shortages(
    {
      read: async (reference) => {
        await released.promise
        return memory.read(reference)
      },
      list: memory.list.bind(memory),
    },
    { jobsOf: () => [JOB] },
  )
  await assert.rejects(shortages.of(NAME, performance.now() + 20), {
    code: 503,
    message: /in time/,
  })
  released.resolve()
  assert.equal((await shortages.of(NAME, SOON())).unavailable, 1)
})

test('one namespace leaves room to the others, however many it asks for', async () => {
  const memory = new MemoryCluster(OBJECTS)
  const shortages = shortagesOf(memory)
  const many = Array.from({ length: 1_000 }, (_, index) => ({
    namespace: 'loud',
    minicluster: `a-${index}`,
  }))
  const results = await Promise.allSettled(many.map((name) => shortages.of(name, SOON())))
  const refused = results.filter(
    (result) => result.status === 'rejected' && /too many questions/.test(result.reason.message),
  )
  assert.ok(refused.length >= 980, `${refused.length}`)
  assert.equal((await shortages.of(NAME, SOON())).unavailable, 1)
})
