import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { Question } from '../../../../webhook/gateway/asking/question.ts'
import { RequestBudget } from '../../../../webhook/gateway/routing/request-budget.ts'
import { until } from '../../../support/until.ts'
import { metricAnswer, serveRoutes } from './served.ts'

const V2 = '/apis/custom.metrics.k8s.io/v1beta2/namespaces'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1/namespaces'
const MINICLUSTERS = 'miniclusters.flux-framework.org'
const FULL =
  /^Cannot answer about namespace "a" now: requests that are under way there take the memory for it/

function response(): ServerResponse {
  return Object.assign(Object.create(EventEmitter.prototype), { closed: false })
}

test('the requests of a namespace take half of the memory, and give it back with their answers', () => {
  const budget = new RequestBudget(1_000)
  const [first, second] = [response(), response()]
  budget.open(first, 'a').take(400)
  assert.throws(() => budget.open(second, 'a').take(102), { code: 503, message: FULL })
  budget.open(second, 'a').take(100)
  budget.open(second, 'b').take(250)
  assert.equal(budget.used, 750)
  first.emit('close')
  second.emit('close')
  assert.equal(budget.used, 0)
})

/** An answer with an item of so many bytes. */
async function longAnswer(question: Question, bytes: number) {
  const { contentType, body } = await metricAnswer(question)
  const { items } = JSON.parse(body)
  const long = { ...items[0], padding: 'x'.repeat(bytes) }
  return { contentType, body: JSON.stringify({ items: [long] }) }
}

const MANY = Array.from({ length: 300 }, (_, index) => `a/m${index}`)

test('long answers of many MiniClusters are an error, not the end of the process, and others are answered', async (t) => {
  const { get } = await serveRoutes(t, {
    miniclusters: [...MANY, 'b/one'],
    answer: (question) => longAnswer(question, question.namespace === 'a' ? 200_000 : 10),
  })
  for (const path of [`${V2}/a/${MINICLUSTERS}/*/node_up_count`, `${EXTERNAL}/a/node_up_count`]) {
    const { code, text } = await get(path)
    assert.equal(code, 503)
    assert.match(
      JSON.parse(text).message,
      /^Cannot answer for 300 MiniClusters: 2\d\d did not answer/,
    )
    assert.match(JSON.parse(text).message, /take the memory for it/)
  }
  // What was taken was given back.
  const one = await get(`${V2}/a/${MINICLUSTERS}/m1/node_up_count`)
  assert.deepEqual([one.code, (await get(`${V2}/b/metrics/node_up_count`)).code], [200, 200])
})

test('many requests for many MiniClusters at once are refused before anybody is asked', async (t) => {
  const waiting = Promise.withResolvers<void>()
  const { get, questions } = await serveRoutes(t, {
    miniclusters: MANY,
    answer: async (question) => {
      await waiting.promise
      return metricAnswer(question)
    },
  })
  const path = `${V2}/a/${MINICLUSTERS}/*/node_up_count`
  const refused: string[] = []
  const answers = Array.from({ length: 40 }, async () => {
    const { code, text } = await get(path)
    // Others had no room for their answers.
    if (code === 503 && FULL.test(JSON.parse(text).message)) refused.push(text)
  })
  await until(() => refused.length >= 20, 'half of them are refused')
  waiting.resolve()
  await Promise.all(answers)
  assert.equal(questions.length, (answers.length - refused.length) * MANY.length)
})
