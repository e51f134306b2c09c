// A broker with one prepared hostile queue, over a real UNIX socket. Answers are bytes before they are asked for, so that it
// answers at once.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { encodeFrame, FrameDecoder } from '#flux/wire/frame.ts'
import { decodeMessage, encodeMessage, FLAG, type RequestMessage } from '#flux/wire/message.ts'
import { decodeJson, type JsonObject } from '#flux/wire/payload.ts'
import { encodePayload } from '../../support/broker/payload.ts'
import type { HostileQueue } from './queue.ts'

const ENOSYS = 38
const EPERM = 1

/** How often the job counts change: the sidecar reads as often as its pace allows. */
const CHANGE_MS = 250

/** The states SCHED, and DEPEND, PRIORITY or SCHED (RFC 21). */
const SCHED = 8
const PENDING = 2 | 4 | SCHED

/** What a one-core job has. */
const ONE_CORE = {
  ...{ state: SCHED, userid: 1000, priority: 16, t_submit: 1_795_458_342.25 },
  ...{ ntasks: 1, ncores: 1, duration: 3600 },
}

const ONE_SLOT = {
  resources: [{ type: 'slot', count: 1, with: [{ type: 'core', count: 1 }] }],
  version: 1,
}

export class HostileBroker {
  readonly #queue: HostileQueue
  readonly #resources: Buffer
  readonly #status: Buffer
  readonly #list: Buffer
  readonly #listWithoutNotes: Buffer
  readonly #server = createServer((socket) => this.#accept(socket))
  readonly #sockets = new Set<Socket>()
  /** Grows, so that something has always changed. */
  #inactive = 0
  /** How many times the pending jobs were listed. */
  readings = 0
  /** How many jobspecs were asked for. */
  jobspecs = 0

  constructor(queue: HostileQueue) {
    const { resources: all, count } = queue
    this.#queue = queue
    this.#resources = encodePayload({ all, allocated: null, down: null })
    this.#status = encodePayload({ R: all, drain: {}, online: '', offline: '', exclude: '' })
    const jobs = Array.from({ length: Math.min(count, 10_001) }, (_, index) => ({
      id: this.#idOf(index),
      ...ONE_CORE,
      ...queue.job(index).listed,
    }))
    this.#list = encodePayload({ jobs })
    this.#listWithoutNotes = encodePayload({
      jobs: jobs.map((job) => ({ ...job, annotations: undefined })),
    })
  }

  async listen(path: string): Promise<void> {
    this.#server.listen(path)
    await once(this.#server, 'listening')
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #idOf(index: number): bigint {
    return this.#queue.firstId + (BigInt(index) << 24n)
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder()
    this.#sockets.add(socket)
    socket.write(Buffer.from([0]))
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      for (const body of decoder.push(chunk)) {
        const request = decodeMessage(body)
        if (request.type === 'request' && !(request.flags & FLAG.noresponse)) {
          this.#answer(socket, request)
        }
      }
    })
  }

  #answer(socket: Socket, request: RequestMessage): void {
    const { topic = '', flags } = request
    if (topic === 'job-list.job-stats' && flags & FLAG.streaming) {
      const push = () => respond(socket, request, this.#stats())
      push()
      const timer = setInterval(() => {
        this.#inactive += 1
        push()
      }, CHANGE_MS)
      socket.on('close', () => clearInterval(timer))
      return
    }
    respond(socket, request, this.#answerTo(topic, decodeJson(request.payload, topic)))
  }

  #answerTo(topic: string, args: JsonObject): Buffer | number {
    switch (topic) {
      case 'attr.get':
        return encodePayload({ value: args.name === 'version' ? '0.88.0' : '1' })
      case 'state-machine.get':
        return encodePayload({ state: 'run' })
      case 'groups.get':
        return encodePayload({ members: '' })
      case 'config.get':
        return encodePayload({})
      case 'job-manager.queue-status':
        return encodePayload({ start: true })
      case 'resource.sched-status':
        return this.#resources
      case 'resource.status':
        return this.#status
      case 'job-list.job-stats':
        return this.#stats()
      case 'job-list.list':
        // No job runs, and none has failed.
        if (args.states !== PENDING) return encodePayload({ jobs: [] })
        this.readings += 1
        return String(args.attrs).includes('annotations') ? this.#list : this.#listWithoutNotes
      case 'job-manager.getattr':
        if (this.#queue.role === 'guest') return EPERM
        this.jobspecs += 1
        return encodePayload({ jobspec: this.#jobspecOf(BigInt(String(args.id))) })
      default:
        return ENOSYS
    }
  }

  #jobspecOf(id: bigint): JsonObject {
    const index = Number((id - this.#queue.firstId) >> 24n)
    return this.#queue.job(index).jobspec ?? ONE_SLOT
  }

  #stats(): Buffer {
    const inactive = this.#inactive
    const none = { depend: 0, priority: 0, run: 0, cleanup: 0 }
    const sched = this.#queue.count
    const results = { successful: inactive, failed: 0, canceled: 0, timeout: 0 }
    const states = { ...none, sched, inactive, total: sched + inactive }
    return encodePayload({ job_states: states, ...results, queues: [] })
  }
}

function respond(
  socket: Socket,
  { topic, flags, matchtag }: RequestMessage,
  answer: Buffer | number,
): void {
  const [errnum, payload] = typeof answer === 'number' ? [answer, undefined] : [0, answer]
  const from = { userid: 0, rolemask: 5, routes: [], topic, payload }
  socket.write(encodeFrame(encodeMessage({ type: 'response', ...from, flags, errnum, matchtag })))
}
