// A broker with one prepared answer for each topic, over a real UNIX socket: a recorded answer, or an error.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { Client } from '#flux/wire/client.ts'
import { encodeFrame, FrameDecoder } from '#flux/wire/frame.ts'
import { decodeMessage, encodeMessage, FLAG } from '#flux/wire/message.ts'
import { decodeJson, encodeJson, type JsonObject } from '#flux/wire/payload.ts'
import { createSocketPath } from './socket-path.ts'

/**
 * A payload, or the number of an error. An array is answered one after the other, and its last element is repeated. A function
 * is given the arguments of the request.
 */
export type Answer =
  | JsonObject
  | number
  | readonly (JsonObject | number)[]
  | ((args: JsonObject) => JsonObject | number)

interface CannedBroker {
  readonly path: string
  /** Topics of the received requests, in order. */
  readonly asked: readonly string[]
  /** The received requests, in order. */
  readonly requests: readonly CannedRequest[]
}

interface CannedRequest {
  readonly topic: string
  /** Rank that must answer. */
  readonly nodeid: number
  readonly args: JsonObject
}

const ENOSYS = 38

/** Starts a broker that answers ENOSYS to every other topic. It ends with the test. */
async function startCannedBroker(
  t: TestContext,
  answers: Readonly<Record<string, Answer>>,
): Promise<CannedBroker> {
  const path = await createSocketPath(t)
  const asked: string[] = []
  const requests: CannedRequest[] = []
  const answered = new Map<string, number>()
  const answerTo = (topic: string, args: JsonObject): JsonObject | number => {
    const answer = answers[topic] ?? ENOSYS
    if (typeof answer === 'function') return answer(args)
    const prepared = [answer].flat()
    const count = answered.get(topic) ?? 0
    answered.set(topic, count + 1)
    return prepared[Math.min(count, prepared.length - 1)] ?? ENOSYS
  }
  const server = createServer((socket) => {
    const decoder = new FrameDecoder()
    socket.write(Buffer.from([0]))
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      for (const body of decoder.push(chunk)) {
        const request = decodeMessage(body)
        if (request.type !== 'request' || request.flags & FLAG.noresponse) continue
        const topic = request.topic ?? ''
        asked.push(topic)
        const args = decodeJson(request.payload, topic)
        requests.push({ topic, nodeid: request.nodeid, args })
        const answer = answerTo(topic, args)
        const [errnum, payload] =
          typeof answer === 'number' ? [answer, undefined] : [0, encodeJson(answer)]
        const { flags, matchtag } = request
        const from = { userid: 0, rolemask: 5, routes: [], topic, payload }
        socket.write(
          encodeFrame(encodeMessage({ type: 'response', ...from, flags, errnum, matchtag })),
        )
      }
    })
    t.after(() => socket.destroy())
  })
  server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
  })
  return { path, asked, requests }
}

/** A canned broker and a client of it. Both end with the test. */
export async function connectToCannedBroker(
  t: TestContext,
  answers: Readonly<Record<string, Answer>>,
): Promise<CannedBroker & { readonly client: Client }> {
  const broker = await startCannedBroker(t, answers)
  const client = await Client.connect(broker.path, { timeoutMs: 10_000 })
  t.after(() => client.close())
  return { ...broker, client }
}
