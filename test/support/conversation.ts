// A recorded conversation between a client and a broker, and its replay: the bytes of the recorded client are sent to another
// broker. normalise() removes the differences that do not count.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeFrame, FrameDecoder } from '#flux/wire/frame.ts'
import {
  decodeMessage,
  encodeMessage,
  FLAG,
  type Message,
  NODEID_ANY,
  USERID_UNKNOWN,
} from '#flux/wire/message.ts'
import { decodeJson, decodeText, encodeJson, isJsonObject } from '#flux/wire/payload.ts'

const RECORDINGS = join(import.meta.dirname, '../recordings/flux')

/** How long the replay waits for an answer. */
const ANSWER_LIMIT_MS = 5_000

const LAST_TAG = 0x7fff_fff0
const LAST_REQUEST = encodeFrame(
  encodeMessage({
    type: 'request',
    flags: FLAG.route,
    userid: USERID_UNKNOWN,
    rolemask: 0,
    routes: [],
    topic: 'broker.ping',
    payload: encodeJson({ seq: 0 }),
    nodeid: NODEID_ANY,
    matchtag: LAST_TAG,
  }),
)

/** One event of the conversation. */
type Step =
  | { readonly from: 'client'; readonly bytes: Buffer }
  | { readonly from: 'broker'; readonly bytes: Buffer }
  | { readonly from: 'broker'; readonly end: true }

export type Recording = readonly Step[]

/** The output of a broker: its handshake byte, its messages, and whether it ended the connection. */
interface Output {
  readonly handshake: number | undefined
  readonly messages: readonly unknown[]
  readonly ended: boolean
}

/** Reads `test/recordings/flux/<name>.json`. */
export function loadRecording(name: string): Recording {
  const recording: unknown = JSON.parse(readFileSync(join(RECORDINGS, `${name}.json`), 'utf8'))
  if (!isJsonObject(recording) || !Array.isArray(recording.messages)) {
    throw new TypeError(`Cannot read recording "${name}": it has no messages`)
  }
  return stepsOf(recording.messages)
}

/** The events up to the first end of the connection. Later events are the end by the other side. */
function stepsOf(messages: readonly unknown[]): Recording {
  const steps: Step[] = []
  for (const message of messages) {
    if (!isJsonObject(message)) continue
    const { dir, hex } = message
    if (typeof hex === 'string') {
      const bytes = Buffer.from(hex, 'hex')
      steps.push(dir === 'c2s' ? { from: 'client', bytes } : { from: 'broker', bytes })
    } else {
      if (dir === 's2c') steps.push({ from: 'broker', end: true })
      break
    }
  }
  return steps
}

/** The output of the recorded broker. */
export function recordedAnswers(recording: Recording): Output {
  const receiver = new Receiver()
  for (const step of recording) {
    if (step.from === 'broker' && 'bytes' in step) receiver.receive(step.bytes)
  }
  return { ...receiver.output, ended: recording.some((step) => 'end' in step) }
}

/**
 * Sends the bytes of the recorded client to the broker at `path`. Before each step it waits until the broker has sent the
 * same number of messages as in the recording.
 *
 * @param onMessage called after each message of the broker, with the number of messages until then
 */
export async function replay(
  recording: Recording,
  { path, onMessage = () => {} }: { readonly path: string; onMessage?: (count: number) => void },
): Promise<Output> {
  const expected = new Receiver()
  const received = new Receiver()
  let ended = false
  let wake = () => {}
  const socket = createConnection(path)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const before = received.count
    received.receive(chunk)
    for (let count = before + 1; count <= received.count; count += 1) onMessage(count)
    wake()
  })
  socket.on('close', () => {
    ended = true
    wake()
  })
  await once(socket, 'connect')
  const until = async (isThere: () => boolean) => {
    const timeUp = delay(ANSWER_LIMIT_MS, 'late', { ref: false })
    while (!isThere()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if ((await Promise.race([promise, timeUp])) === 'late') return
    }
  }
  for (const step of recording) {
    if ('end' in step) await until(() => ended)
    else if (step.from === 'broker') expected.receive(step.bytes)
    else {
      await until(() => ended || received.count >= expected.count)
      socket.write(step.bytes)
    }
  }
  await until(() => ended || (received.hasHandshake && received.count >= expected.count))
  if (!ended) {
    // Answers are in order: when this request is answered, no unexpected message is left.
    socket.write(LAST_REQUEST)
    await until(() => ended || received.isLastAnswered)
  }
  const endedByBroker = ended
  socket.destroy()
  return { ...received.output, ended: endedByBroker }
}

/** Splits the bytes of a broker into its handshake and its messages. */
class Receiver {
  readonly #decoder = new FrameDecoder()
  readonly #messages: unknown[] = []
  #handshake: number | undefined
  isLastAnswered = false

  get count(): number {
    return this.#messages.length
  }

  get hasHandshake(): boolean {
    return this.#handshake !== undefined
  }

  get output(): Pick<Output, 'handshake' | 'messages'> {
    return { handshake: this.#handshake, messages: this.#messages }
  }

  receive(bytes: Buffer): void {
    const rest = this.#handshake === undefined ? bytes.subarray(1) : bytes
    this.#handshake ??= bytes[0]
    for (const body of this.#decoder.push(rest)) {
      const message = decodeMessage(body)
      if ('matchtag' in message && message.matchtag === LAST_TAG) this.isLastAnswered = true
      else this.#messages.push(readable(message))
    }
  }
}

function readable(message: Message): object {
  const { payload, topic } = message
  const failed = message.type === 'response' && message.errnum !== 0
  return {
    ...message,
    payload: failed ? decodeText(payload) : payload && decodeJson(payload, topic),
  }
}

/** Keys whose values depend on the time: times, ids and counters. */
const MOMENTS = /^(id|timestamp|expiration|route|sequence|t_[a-z]+)$/
/** Topics whose `duration` is an elapsed time. The `duration` of a job is its time limit. */
const LASTING = new Set(['state-machine.get', 'overlay.health'])

/** The message with placeholders for ids and times. All other values are kept, but not the order of the keys. */
export function normalise(value: unknown, topic?: unknown): unknown {
  if (Array.isArray(value)) {
    return isTransition(value)
      ? ['id', value[1], 'time']
      : value.map((item) => normalise(item, topic))
  }
  if (!isJsonObject(value)) return value
  const own = value.topic ?? topic
  const isEvent = value.type === 'event'
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => {
        if (isEvent && key === 'routes') return [key, Array.isArray(part) ? part.length : part]
        const isMoment = MOMENTS.test(key) || (key === 'duration' && LASTING.has(String(own)))
        // an expiration of 0 is none
        if (isMoment && !(key === 'expiration' && part === 0)) return [key, `a ${key}`]
        if (key === 'dependencies') return [key, JSON.stringify(part).replace(/ƒ\w+/g, 'an id')]
        return [key, normalise(part, own)]
      }),
  )
}

/** An element of a `job-state` event: id, state, time. */
function isTransition(value: readonly unknown[]): boolean {
  const [id, state, time] = value
  return typeof id === 'number' && typeof state === 'string' && typeof time === 'number'
}
