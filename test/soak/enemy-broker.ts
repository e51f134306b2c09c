// A broker whose jobs all have another jobspec, with another constraint: what an enemy can submit. It answers for jobspecs
// itself and passes all other calls on to a broker behind it. It has no streams: its clients poll.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { ERRNO, FluxError } from '#flux/errors.ts'
import { Client } from '#flux/wire/client.ts'
import { encodeFrame, FrameDecoder } from '#flux/wire/frame.ts'
import { decodeMessage, encodeMessage, FLAG, type RequestMessage } from '#flux/wire/message.ts'
import { decodeJson, encodeJson, type JsonObject } from '#flux/wire/payload.ts'

const TIMEOUT_MS = 60_000

export async function startEnemyBroker(path: string, behind: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    void serve(socket, behind).catch(() => socket.destroy())
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

async function serve(socket: Socket, behind: string): Promise<void> {
  socket.on('error', () => {})
  const client = await Client.connect(behind, { timeoutMs: TIMEOUT_MS })
  socket.once('close', () => client.close())
  void client.ended.then(() => socket.destroy())
  const decoder = new FrameDecoder()
  socket.write(Buffer.from([0]))
  socket.on('data', (chunk: Buffer) => {
    for (const body of decoder.push(chunk)) {
      const request = decodeMessage(body)
      if (request.type === 'request' && !(request.flags & FLAG.noresponse)) {
        void answer(request, client).then((bytes) => socket.write(bytes))
      }
    }
  })
}

async function answer(request: RequestMessage, client: Client): Promise<Buffer> {
  const { topic = '', nodeid, flags, matchtag } = request
  const from = { userid: 0, rolemask: 5, routes: [], topic, flags, matchtag }
  const respond = (errnum: number, payload?: Buffer) =>
    encodeFrame(encodeMessage({ type: 'response', ...from, errnum, payload }))
  if (flags & FLAG.streaming) return respond(ERRNO.ENOSYS)
  const args = decodeJson(request.payload, topic)
  if (topic === 'job-manager.getattr') return respond(0, encodeJson({ jobspec: jobspec() }))
  try {
    return respond(0, encodeJson(await client.call(topic, args, { nodeid, timeoutMs: TIMEOUT_MS })))
  } catch (error) {
    return respond(error instanceof FluxError ? (error.errnum ?? ERRNO.EPROTO) : ERRNO.EPROTO)
  }
}

/** Each another one, and now and then one that cannot be read. */
function jobspec(): JsonObject {
  if (upTo(10) === 0) return { version: upTo(3), resources: [{ type: word(), count: -upTo(9) }] }
  const core = { type: 'core', count: { min: 1 + upTo(9), max: 20, operator: '+', operand: 1 } }
  const slot = { type: 'slot', label: word(), count: 1 + upTo(9), with: [core] }
  const node = { type: 'node', count: `${1 + upTo(3)},${4 + upTo(9)}`, with: [slot] }
  return {
    version: 1,
    resources: [upTo(2) === 0 ? node : slot],
    tasks: [{ command: [word()], slot: slot.label, count: { per_slot: 1 } }],
    attributes: { system: { duration: upTo(9_999), constraints: constraint(3) } },
  }
}

function constraint(depth: number): JsonObject {
  const many = (make: () => unknown) => Array.from({ length: 1 + upTo(8) }, make)
  switch (upTo(depth === 0 ? 3 : 6)) {
    case 0:
      return { properties: many(() => (upTo(2) === 0 ? word() : `^${word()}`)) }
    case 1:
      return { hostlist: many(() => `${word()}[0-${upTo(99)}]`) }
    case 2:
      return { ranks: many(() => `${upTo(9)}-${10 + upTo(9)}`) }
    case 3:
      return { not: [constraint(depth - 1)] }
    case 4:
      return { and: many(() => constraint(depth - 1)) }
    default:
      return { or: many(() => constraint(depth - 1)) }
  }
}

function word(): string {
  return `w${Math.random().toString(36).slice(2)}`
}

function upTo(limit: number): number {
  return Math.floor(Math.random() * limit)
}
