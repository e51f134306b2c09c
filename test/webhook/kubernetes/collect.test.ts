import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AnswerTooLong,
  ClusterError,
  type ClusterObject,
  type ListOptions,
  type ListPage,
} from '../../../webhook/kubernetes/cluster.ts'
import { collect } from '../../../webhook/kubernetes/collect.ts'
import { LateAnswer } from '../../../webhook/kubernetes/connection/api-connection.ts'

const PODS = { apiVersion: 'v1', kind: 'Pod' } as const
const GONE = new ClusterError(410, 'The API server answered 410: the continue token is too old')
const TOO_LONG = new ClusterError(0, 'Cannot read the answer', { cause: new AnswerTooLong(9) })
const LATE = new ClusterError(0, 'Cannot reach the API server', { cause: new LateAnswer(9) })

/** A collection of that many pods. `fail` may throw before a part is answered. */
function collection(count: number, fail: (options: ListOptions) => void = () => {}) {
  const asked: string[] = []
  const list = async (_of: object, options: ListOptions): Promise<ListPage> => {
    const start = Number(options.continue ?? '0')
    asked.push(`${start}+${options.limit}`)
    fail(options)
    const end = Math.min(count, start + options.limit)
    const items = Array.from({ length: end - start }, (_, at) => ({
      metadata: { name: `pod-${start + at}` },
    }))
    return { items, continue: end < count ? String(end) : undefined }
  }
  return { cluster: { list }, asked }
}

const all = { keep: ({ metadata }: ClusterObject) => metadata?.name, max: 1_000 }

test('collect reads part by part, and keeps what is asked for', async () => {
  const { cluster, asked } = collection(250)
  const keep = ({ metadata }: ClusterObject) =>
    metadata?.name?.endsWith('00') === true ? metadata.name : undefined
  const { kept, isCut } = await collect(cluster, PODS, { keep, max: 1_000 })
  assert.deepEqual([kept, isCut], [['pod-100', 'pod-200'], false])
  assert.deepEqual(asked, ['0+100', '100+100', '200+100'])
})

test('collect reads an empty collection with one call', async () => {
  const { cluster, asked } = collection(0)
  assert.deepEqual(await collect(cluster, PODS, all), { kept: [], isCut: false })
  assert.equal(asked.length, 1)
})

test('collect starts again if the rest of a list is gone, and keeps nothing twice', async () => {
  let left = 2
  const { cluster } = collection(250, (options) => {
    if (options.continue === '200' && left > 0) {
      left -= 1
      throw GONE
    }
  })
  const { kept } = await collect(cluster, PODS, all)
  assert.deepEqual([kept.length, new Set(kept).size], [250, 250])
})

test('collect gives up a list that is gone again and again', async () => {
  const { cluster, asked } = collection(250, (options) => {
    if (options.continue !== undefined) throw GONE
  })
  await assert.rejects(collect(cluster, PODS, all), GONE)
  assert.equal(asked.length, 6)
})

test('collect asks for fewer objects where a part is too long', async () => {
  const { cluster, asked } = collection(150, ({ limit }) => {
    if (limit > 20) throw TOO_LONG
  })
  const { kept } = await collect(cluster, PODS, all)
  assert.equal(new Set(kept).size, 150)
  assert.deepEqual(asked.slice(0, 4), ['0+100', '0+13', '13+26', '13+4'])
})

test('collect asks for fewer objects where a part takes the API server too long', async () => {
  const { cluster } = collection(150, ({ limit }) => {
    if (limit > 20) throw LATE
  })
  assert.equal((await collect(cluster, PODS, all)).kept.length, 150)
})

test('collect fails at once if an API server cannot be reached', async () => {
  const refused = new ClusterError(0, 'Cannot reach the API server: connect ECONNREFUSED')
  const { cluster, asked } = collection(150, () => {
    throw refused
  })
  await assert.rejects(collect(cluster, PODS, all), refused)
  assert.equal(asked.length, 1)
})

test('collect asks for few more large objects than there are', async () => {
  const { cluster, asked } = collection(500, ({ limit }) => {
    if (limit > 1) throw TOO_LONG
  })
  await collect(cluster, PODS, all)
  const objects = asked.reduce((sum, part) => sum + Number(part.split('+')[1]), 0)
  assert.ok(objects < 4 * 500, `${objects} objects`)
})

test('collect asks for many objects again after large ones', async () => {
  const { cluster, asked } = collection(1_000, ({ continue: start = '0', limit }) => {
    if (Number(start) < 10 && limit > 1) throw TOO_LONG
  })
  await collect(cluster, PODS, all)
  assert.equal(asked.at(-1), '936+100')
})

test('collect fails if one object alone is too long', async () => {
  const { cluster, asked } = collection(150, () => {
    throw TOO_LONG
  })
  await assert.rejects(collect(cluster, PODS, all), TOO_LONG)
  assert.deepEqual(asked, ['0+100', '0+13', '0+2', '0+1'])
})

test('collect keeps no more than it may, and says so', async () => {
  const { cluster, asked } = collection(100_000)
  const { kept, isCut } = await collect(cluster, PODS, { ...all, max: 150 })
  assert.deepEqual([kept.length, isCut, asked.length], [150, true, 2])
  const { cluster: exact } = collection(150)
  assert.equal((await collect(exact, PODS, { ...all, max: 150 })).isCut, false)
})
