// A simulated Flux broker on a real UNIX socket, for tests, demo and bench. It answers for an Instance, with the protocol of
// a given release. test/replay/broker.test.ts compares its answers with recordings of real brokers.
//
// Differences from a real broker: a frame whose length would kill a real broker, or that exceeds the limit of the client,
// only ends its connection. Each request is answered before the next one is read. Methods that a metrics client never
// calls (job events, kvs, modules) do not exist.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { FLAG } from '#flux/wire/message.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Transition } from '#simulation/jobs/job-table.ts'
import { Faults } from './broker/faults.ts'
import { type BrokerState, ROLE } from './broker/method.ts'
import type { Phase } from './broker/methods.ts'
import { encodePayload } from './broker/payload.ts'
import { type FluxVersion, Release, type Scheduler } from './broker/release.ts'
import { Session } from './broker/session.ts'

export type { Phase } from './broker/methods.ts'
export type { FluxVersion, Scheduler } from './broker/release.ts'

export interface BrokerOptions {
  /** Path of the socket. An old socket is replaced. */
  readonly path: string
  readonly instance: Instance
  /** Default: `0.88.0`. */
  readonly version?: FluxVersion
  /** The scheduler that answers `sched.resource-status`. Default: `sched-simple`. */
  readonly scheduler?: Scheduler
  /** The role of every client. `refused` ends the handshake with EPERM. Default: `owner`. */
  readonly role?: 'owner' | 'guest' | 'refused'
  /** User id of guests. Default: 1001. */
  readonly guest?: number
  /** User id of the instance's owner. Default: 0. */
  readonly owner?: number
  /** Guests do not see the jobs of other users, nor their counts. */
  readonly privateMode?: boolean
  /** Default: `run`. */
  readonly phase?: Phase
  /** Children of each broker in the overlay network. Default: the default of the release. */
  readonly fanout?: number
  /** `broker.quorum`. Default: 1. */
  readonly quorum?: number
  /** Further tables of the configuration. */
  readonly config?: JsonObject
  /** Default: 2000. */
  readonly heartbeatMs?: number
}

/** The backlog of real brokers: the seventh client of a busy broker gets EAGAIN. */
const BACKLOG = 5

const ACCEPTED = 0x00
const REFUSED = 0x01

/** Starts a broker. It accepts clients when the promise resolves. */
export async function startBroker(options: BrokerOptions): Promise<SimulatedBroker> {
  const broker = new SimulatedBroker(options)
  await broker.listen()
  return broker
}

export class SimulatedBroker {
  readonly path: string
  readonly instance: Instance
  readonly #options: BrokerOptions
  readonly #state: BrokerState & { phase: Phase; phaseSince: number }
  readonly #server: Server
  readonly #faults = new Faults()
  readonly #sessions = new Set<Session>()
  readonly #calls = new Map<string, number>()
  #accepted = 0
  #sequence = 0
  #heartbeat: NodeJS.Timeout | undefined

  constructor(options: BrokerOptions) {
    const { path, instance, version = '0.88.0' } = options
    const release = new Release(version)
    this.path = path
    this.instance = instance
    this.#options = options
    this.#state = {
      instance,
      release,
      path,
      scheduler: options.scheduler ?? 'sched-simple',
      uuid: randomUUID(),
      owner: options.owner ?? 0,
      privateMode: options.privateMode ?? false,
      quorum: options.quorum ?? 1,
      fanout: options.fanout ?? (release.has('wideOverlay') ? 32 : 2),
      config: options.config ?? {},
      phase: options.phase ?? 'run',
      phaseSince: instance.now,
    }
    this.#server = createServer((socket) => this.#accept(socket))
  }

  async listen(): Promise<void> {
    rmSync(this.path, { force: true })
    this.#server.listen({ path: this.path, backlog: BACKLOG })
    await once(this.#server, 'listening')
    chmodSync(this.path, 0o777)
    this.instance.on('jobs', this.#publishJobs)
  }

  /** Number of requests by topic. */
  get calls(): ReadonlyMap<string, number> {
    return this.#calls
  }

  /** Number of connected clients. */
  get connections(): number {
    return this.#sessions.size
  }

  /** Number of clients that have connected since the start. */
  get accepted(): number {
    return this.#accepted
  }

  /** State of the instance, as `state-machine.get` answers it. It decides which services answer. */
  get phase(): Phase {
    return this.#state.phase
  }

  setPhase(phase: Phase): void {
    this.#state.phase = phase
    this.#state.phaseSince = this.instance.now
  }

  /** The faults that a test adds. */
  get faults(): Faults {
    return this.#faults
  }

  /** Sends malformed bytes to all clients. */
  sendGarbage(bytes: Uint8Array = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')): void {
    for (const session of this.#sessions) session.write(bytes)
  }

  /** Ends all streams without a final answer, like the reload of a module. */
  silenceStreams(): void {
    for (const session of this.#sessions) session.silence()
  }

  /** Ends all connections, and accepts new ones. */
  disconnectAll(): void {
    for (const session of this.#sessions) session.destroy()
  }

  /** Sends an event to its subscribers. */
  publish(topic: string, payload?: JsonObject, flags = 0): void {
    this.#sequence += 1
    const hasRoutes = this.#state.release.has('eventRoutes')
    for (const session of this.#sessions) {
      session.publish({
        type: 'event',
        flags: flags | (hasRoutes ? FLAG.route : 0),
        userid: this.#state.owner,
        rolemask: ROLE.owner | ROLE.local,
        routes: hasRoutes ? [this.#state.uuid] : [],
        topic,
        payload: payload && encodePayload(payload),
        sequence: this.#sequence,
      })
    }
  }

  /** Ends like a clean shutdown: clients read the end of the stream, and the socket file is removed. */
  async close(): Promise<void> {
    this.instance.off('jobs', this.#publishJobs)
    clearInterval(this.#heartbeat)
    this.disconnectAll()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  /** Ends like SIGKILL: the socket file stays, and connections to it are refused. */
  async kill(): Promise<void> {
    // Node removes the file of a listening socket when it closes, so the file has another name meanwhile.
    const aside = `${this.path}.killed`
    renameSync(this.path, aside)
    await this.close()
    renameSync(aside, this.path)
  }

  readonly #publishJobs = (transitions: readonly Transition[]): void => {
    const submitted = transitions.filter(({ state }) => state === 'DEPEND')
    if (submitted.length > 0) {
      const keys = Object.fromEntries(submitted.map(({ job }) => [jobspecKey(job.id), null]))
      this.publish('kvs.namespace-primary-setroot', { namespace: 'primary', keys }, FLAG.private)
    }
    if (this.#state.release.has('noJobStateEvent')) return
    this.publish('job-state', {
      transitions: transitions.map(({ job, state, at }) => [job.id, state, at / 1000]),
    })
  }

  #accept(socket: Socket): void {
    this.#accepted += 1
    const { role = 'owner', guest = 1001 } = this.#options
    if (role === 'refused') {
      socket.on('error', () => {})
      socket.end(Buffer.from([REFUSED]))
      return
    }
    socket.write(Buffer.from([ACCEPTED]))
    const session = new Session(socket, {
      broker: this.#state,
      faults: this.#faults,
      credentials:
        role === 'owner'
          ? { userid: this.#state.owner, rolemask: ROLE.owner | ROLE.local }
          : { userid: guest, rolemask: ROLE.user | ROLE.local },
      onRequest: (topic) => this.#calls.set(topic, (this.#calls.get(topic) ?? 0) + 1),
      onSubscription: () => this.#updateHeartbeat(),
      onEnd: () => {
        this.#sessions.delete(session)
        this.#updateHeartbeat()
      },
    })
    this.#sessions.add(session)
  }

  #updateHeartbeat(): void {
    const topic = 'heartbeat.pulse'
    const wanted = [...this.#sessions].some((session) => session.isSubscribed(topic))
    if (wanted && this.#heartbeat === undefined) {
      const everyMs = this.#options.heartbeatMs ?? 2000
      this.#heartbeat = setInterval(() => this.publish(topic), everyMs).unref()
    } else if (!wanted) {
      clearInterval(this.#heartbeat)
      this.#heartbeat = undefined
    }
  }
}

/** RFC 16: the id as four groups of hexadecimal digits. */
function jobspecKey(id: bigint): string {
  const digits = id.toString(16).padStart(16, '0')
  return `job.${digits.replace(/(.{4})(?=.)/g, '$1.')}.jobspec`
}
