// A broker that follows a script, over a real UNIX socket: one script for each connection. It has its own encoder, so that
// the code under test makes none of the expected bytes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Client } from '#flux/wire/client.ts'
import { FrameDecoder } from '#flux/wire/frame.ts'
import { decodeMessage, type RequestMessage } from '#flux/wire/message.ts'
import { createSocketPath } from './socket-path.ts'

const REQUEST_FLAGS = 0x09
const STREAMING = 0x40
const ENODATA = 61

type Script = (peer: ScriptedPeer) => Promise<void> | void

/** The content of a frame: fields and parts, as on the wire. */
interface Frame {
  readonly type: number
  readonly flags: number
  readonly routes?: readonly string[]
  readonly topic?: string | undefined
  readonly payload?: string | undefined
  readonly aux1?: number
  readonly aux2?: number
}

/** A frame by the grammar of RFC 3, as brokers write it. The flags for topic and payload are set here. */
export function frameBytes({ type, flags, routes, topic, payload, aux1 = 0, aux2 = 0 }: Frame) {
  const all = flags | (topic === undefined ? 0 : 1) | (payload === undefined ? 0 : 2)
  const parts = all & 8 ? [...(routes ?? []), ''] : []
  const texts = [...parts, topic, payload].filter((text) => text !== undefined)
  const u8 = (value: number) => value.toString(16).padStart(2, '0')
  const u32 = (value: number) => value.toString(16).padStart(8, '0')
  const size = (bytes: number) => (bytes < 255 ? u8(bytes) : `ff${u32(bytes)}`)
  const body = [
    ...texts
      .map((text) => Buffer.from(text))
      .map((part) => size(part.length) + part.toString('hex')),
    `148e01${u8(type)}${u8(all)}${u32(0)}${u32(5)}${u32(aux1)}${u32(aux2)}`,
  ].join('')
  return Buffer.from(`1200eeff${u32(body.length / 2)}${body}`, 'hex')
}

/** An object as the text of a payload. A `bigint` is written as an integer. */
function jsonText(value: object): string {
  const mark = (_: string, part: unknown) => (typeof part === 'bigint' ? `int ${part}` : part)
  return `${JSON.stringify(value, mark).replace(/"int (-?\d+)"/g, '$1')}\0`
}

/** The broker's side of one connection. */
export class ScriptedPeer {
  /** All received bytes. */
  received = Buffer.alloc(0)
  readonly #socket: Socket
  readonly #requests: RequestMessage[] = []
  readonly #decoder = new FrameDecoder()
  #wake = () => {}
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      for (const body of this.#decoder.push(chunk)) {
        const message = decodeMessage(body)
        assert.equal(message.type, 'request')
        this.#requests.push(message)
      }
      this.#wake()
    })
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  accept(): void {
    this.send(Buffer.from([0]))
  }

  /** The next request, which must be for `topic`. */
  async expect(topic: string): Promise<RequestMessage> {
    for (;;) {
      const request = this.#requests.shift()
      if (request !== undefined) {
        assert.equal(request.topic, topic)
        return request
      }
      assert.ok(!this.#closed, `the client disconnected, but the script expects "${topic}"`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Received requests that the script has not expected. */
  get unexpected(): readonly RequestMessage[] {
    return this.#requests
  }

  async expectEnd(): Promise<void> {
    if (!this.#closed) await once(this.#socket, 'close')
  }

  response(to: RequestMessage, payload?: string, errnum = 0): Buffer {
    const flags = REQUEST_FLAGS | (to.flags & STREAMING)
    return frameBytes({ type: 2, flags, topic: to.topic, payload, aux1: errnum, aux2: to.matchtag })
  }

  respond(to: RequestMessage, answer?: object): void {
    this.send(this.response(to, answer === undefined ? undefined : jsonText(answer)))
  }

  /** Answers of a stream, which stays open. */
  stream(to: RequestMessage, ...answers: readonly object[]): void {
    for (const answer of answers) this.respond(to, answer)
  }

  endStream(to: RequestMessage): void {
    this.fail(to, ENODATA)
  }

  fail(to: RequestMessage, errnum: number, text?: string): void {
    this.send(this.response(to, text === undefined ? undefined : `${text}\0`, errnum))
  }

  publish(topic: string, payload?: object, routes?: readonly string[]): void {
    const flags = routes === undefined ? 0 : 8
    const text = payload === undefined ? undefined : jsonText(payload)
    this.send(frameBytes({ type: 4, flags, routes: routes ?? [], topic, payload: text, aux1: 225 }))
  }

  /** Sends any bytes: garbage, a refusal, recorded bytes. */
  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Sends bytes and waits until they are written, so that the next bytes are usually another chunk. */
  async flush(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()))
  }

  hangUp(): void {
    this.#socket.end()
  }

  /** For the end of the test. */
  destroy(): void {
    this.#socket.destroy()
  }
}

/** Starts a broker for one connection per script. The test fails if a script does not reach its end. */
export async function startScriptedBroker(
  t: TestContext,
  ...scripts: readonly Script[]
): Promise<string> {
  const path = await createSocketPath(t)
  const peers: ScriptedPeer[] = []
  const runs: Promise<unknown>[] = []
  const server = createServer((socket) => {
    const peer = new ScriptedPeer(socket)
    const script = scripts[peers.push(peer) - 1]
    const run = async () => {
      assert.ok(script, 'there is no script for this connection')
      await script(peer)
    }
    runs.push(run().catch((error: unknown) => error))
  })
  server.listen(path)
  await once(server, 'listening')
  t.after(async () => {
    for (const peer of peers) peer.destroy()
    server.close()
    for (const error of await Promise.all(runs)) assert.ifError(error)
  })
  return path
}

/** A client of a broker that accepts it and then follows the script. Both end with the test. */
export async function connectToScript(t: TestContext, script: Script): Promise<Client> {
  const path = await startScriptedBroker(t, (peer) => {
    peer.accept()
    return script(peer)
  })
  const client = await Client.connect(path, { timeoutMs: 10_000 })
  t.after(() => client.close())
  return client
}
