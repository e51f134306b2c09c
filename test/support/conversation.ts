// A recorded conversation between a client and a broker, and the same bytes said to another broker. Which differences
// count is normalise()'s and the test's business.
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

/** How long an answer may take before the replay gives up. */
const PATIENCE_MS = 5_000

const LAST_TAG = 0x7fff_fff0
const LAST_WORD = encodeFrame(
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

/** One thing that happened, in order. */
type Step =
  | { readonly from: 'client'; readonly bytes: Buffer }
  | { readonly from: 'broker'; readonly bytes: Buffer }
  | { readonly from: 'broker'; readonly end: true }

export type Recording = readonly Step[]

/** What a broker said: its handshake byte, its messages, and whether it ended the connection. */
interface Said {
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

/** Up to the first end of the connection: what comes later is the other side's end of it. */
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

/** What the recorded broker said. */
export function recordedAnswers(recording: Recording): Said {
  const listener = new Listener()
  for (const step of recording) {
    if (step.from === 'broker' && 'bytes' in step) listener.hear(step.bytes)
  }
  return { ...listener.said, ended: recording.some((step) => 'end' in step) }
}

/**
 * Says to the broker at `path` what the recorded client said, each time waiting until as many messages have come as
 * came in the recording.
 *
 * @param onMessage told how many messages have come, after each of the broker's
 */
export async function replay(
  recording: Recording,
  { path, onMessage = () => {} }: { readonly path: string; onMessage?: (count: number) => void },
): Promise<Said> {
  const expected = new Listener()
  const heard = new Listener()
  let ended = false
  let wake = () => {}
  const socket = createConnection(path)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const before = heard.count
    heard.hear(chunk)
    for (let count = before + 1; count <= heard.count; count += 1) onMessage(count)
    wake()
  })
  socket.on('close', () => {
    ended = true
    wake()
  })
  await once(socket, 'connect')
  const until = async (isThere: () => boolean) => {
    const timeUp = delay(PATIENCE_MS, 'late', { ref: false })
    while (!isThere()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if ((await Promise.race([promise, timeUp])) === 'late') return
    }
  }
  for (const step of recording) {
    if ('end' in step) await until(() => ended)
    else if (step.from === 'broker') expected.hear(step.bytes)
    else {
      await until(() => ended || heard.count >= expected.count)
      socket.write(step.bytes)
    }
  }
  await until(() => ended || (heard.isGreeted && heard.count >= expected.count))
  if (!ended) {
    // answers come in order: what was not to come has not come when this one is answered
    socket.write(LAST_WORD)
    await until(() => ended || heard.isLastWordAnswered)
  }
  const hungUp = ended
  socket.destroy()
  return { ...heard.said, ended: hungUp }
}

/** Takes what a broker sends apart. */
class Listener {
  readonly #decoder = new FrameDecoder()
  readonly #messages: unknown[] = []
  #handshake: number | undefined
  isLastWordAnswered = false

  get count(): number {
    return this.#messages.length
  }

  get isGreeted(): boolean {
    return this.#handshake !== undefined
  }

  get said(): Pick<Said, 'handshake' | 'messages'> {
    return { handshake: this.#handshake, messages: this.#messages }
  }

  hear(bytes: Buffer): void {
    const rest = this.#handshake === undefined ? bytes.subarray(1) : bytes
    this.#handshake ??= bytes[0]
    for (const body of this.#decoder.push(rest)) {
      const message = decodeMessage(body)
      if ('matchtag' in message && message.matchtag === LAST_TAG) this.isLastWordAnswered = true
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

/** Numbers and texts that name a moment, or something that is numbered by its moment. */
const MOMENTS = /^(id|timestamp|expiration|route|sequence|t_[a-z]+)$/
/** Topics whose answers say how long something has lasted; of a job the duration is what was asked for. */
const LASTING = new Set(['state-machine.get', 'overlay.health'])

/** The same message with ids and times made equal; everything else, but the order of keys, is kept. */
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
